/**
 * Goal: whatever a connection does, on each kind of transport, connecting settles, a session ends, and every failure is
 * a typed error. Method: a conversation of control mode, cut anywhere, with bytes changed, repeated, left out, garbage
 * and ends at random places: over a stream that answers, from a program that says it, and as a recording.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { fc, test } from '@fast-check/vitest';
import { BridgeError, type ConnectOptions, connect, nullSink } from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { recordingFile } from './support/recording.ts';
import { fakeTmux, type TestServer, testServer } from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

const factor = Number(process.env['FC_RUNS'] ?? 100) / 100;
const quick = {
  connectTimeoutMs: 300,
  commandTimeoutMs: 300,
  closeTimeoutMs: 100,
} satisfies ConnectOptions;

/** What happens to a piece of bytes on its way. */
const fault = fc.oneof(
  { weight: 6, arbitrary: fc.constant('none' as const) },
  fc.constantFrom('change', 'repeat', 'lose', 'garbage', 'end', 'break'),
);
type Fault = 'none' | 'change' | 'repeat' | 'lose' | 'garbage' | 'end' | 'break';
const plan = fc.record({
  /** Pieces that arrive as they are, before anything happens: sessions are attached then. */
  calm: fc.nat({ max: 60 }),
  faults: fc.array(fault, { minLength: 1, maxLength: 30 }),
  cuts: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
  noise: fc.uint8Array({ minLength: 1, maxLength: 40 }),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;

/** Passes bytes on, as the plan has it; the plan repeats itself. */
class Trouble {
  readonly #plan: Plan;
  #turn: number;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#turn = -plan.calm;
  }

  /** Returns what arrives of these bytes, and how the connection ends there, if it does. */
  pass(bytes: Uint8Array): { arrives: Uint8Array; end?: 'end' | 'break' } {
    const { faults, cuts, noise } = this.#plan;
    const arrived: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; this.#turn++) {
      const length = cuts[Math.abs(this.#turn) % cuts.length]!;
      const piece = Buffer.from(bytes.subarray(at, at + length));
      at += length;
      const what: Fault = this.#turn < 0 ? 'none' : faults[this.#turn % faults.length]!;
      if (what === 'end' || what === 'break') {
        return { arrives: Buffer.concat(arrived), end: what };
      }
      if (what === 'change') piece[noise[0]! % piece.length]! ^= noise.at(-1)! | 1;
      if (what === 'garbage') arrived.push(noise);
      if (what !== 'lose') arrived.push(piece);
      if (what === 'repeat') arrived.push(piece);
    }
    return { arrives: Buffer.concat(arrived) };
  }
}

/** The beginning of the shipped recording: its two lines of header, and frames. */
const whole = gunzipSync(recordingFile);
const headerBytes = whole.indexOf(0x0a, whole.indexOf(0x0a) + 1) + 1;
const header = whole.subarray(0, headerBytes);
const recorded = whole.subarray(headerBytes, headerBytes + 20_000);

const layout = 'b25d,80x24,0,0,0';
const listing = [
  '$0',
  '$0 1 main',
  `$0 0 1 @0 80 24 0 * off ${layout} ${layout} name`,
  '%0 @0 0 1 0 0 80 24 0  title',
  '99 1 $0 80 24 client-99',
];
const greeting = '%begin 1 1 0\n%end 1 1 0\n%session-changed $0 main\n';
const output = '%extended-output %0 3 : some text \\033[1m\\015\\012\n%output %1 more\n';

/** Returns what tmux answers to a line. */
function answer(line: string, from: number): string[] {
  const replies =
    line.startsWith('display-message') && line.includes(' ; ')
      ? listing
      : [line.includes('#{pid}') ? '4711 3.5a' : ''];
  return replies.map((text, index) => {
    const number = from + index;
    return `%begin 1 ${number} 1\n${text === '' ? '' : `${text}\n`}%end 1 ${number} 1\n${output}`;
  });
}

/** Connects, uses the session a little, closes it; all of it settles, and failures are typed. */
async function settles(options: ConnectOptions): Promise<'connected' | 'refused'> {
  const typed = (error: unknown): void => {
    expect(error).toBeInstanceOf(BridgeError);
    expect((error as BridgeError).code).toMatch(/^ERR_/);
  };
  try {
    const session = await connect({ ...quick, sink: () => nullSink(), ...options });
    await session.command('list-panes').catch(typed);
    const end = await session.close();
    if (end.error !== undefined) typed(end.error);
    return 'connected';
  } catch (error) {
    typed(error);
    return 'refused';
  }
}

describe('a connection in trouble settles', () => {
  test.prop([plan], { numRuns: Math.ceil(40 * factor) })('over a stream', async (trouble) => {
    const [near, far] = duplexPair();
    near.on('error', () => {});
    far.on('error', () => {});
    const way = new Trouble(trouble);
    const say = (text: string): void => {
      if (far.destroyed || far.writableEnded) return;
      const { arrives, end } = way.pass(Buffer.from(text));
      far.write(arrives);
      if (end === 'end') far.end();
      if (end === 'break') far.destroy(new Error('the line was cut'));
    };
    let number = 2;
    let carry = '';
    far.on('data', (bytes: Buffer) => {
      const lines = (carry + bytes.toString('latin1')).split('\n');
      carry = lines.pop()!;
      for (const line of lines) {
        if (line === '') {
          say('%exit\n');
          far.end();
          return;
        }
        const replies = answer(line, number);
        number += replies.length;
        say(replies.join(''));
      }
    });
    far.on('end', () => far.end());
    say(greeting);
    await settles({ stream: near });
    near.destroy();
    far.destroy();
  });

  test.prop([plan, fc.boolean()], { numRuns: Math.ceil(8 * factor) })(
    'from a program',
    async (trouble, worker) => {
      // What it says doesn't depend on what it is told: replies come too early, too late, or never.
      const said = greeting + answer('display-message #{pid}', 2) + output.repeat(20);
      const file = join(server.directory, 'said');
      writeFileSync(file, new Trouble(trouble).pass(Buffer.from(said)).arrives);
      const tmux = fakeTmux(
        server,
        `[ "$1" = -V ] && { echo tmux 3.5a; exit; }; cat '${file}'; read -r line`,
      );
      await settles({ tmux, worker });
    },
  );

  test.prop([plan, fc.boolean()], { numRuns: Math.ceil(12 * factor) })(
    'as a recording',
    async (trouble, worker) => {
      const { arrives } = new Trouble(trouble).pass(recorded);
      const file = Buffer.concat([header, arrives]);
      const pace = { kind: 'max' } as const;
      await settles({ recording: { source: file, pace }, worker });
    },
  );
});
