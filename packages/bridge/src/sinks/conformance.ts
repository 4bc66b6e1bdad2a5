/**
 * Checks a sink against the contract of `Sink`: for whoever writes one. Needs no test framework.
 *
 * What a sink owes, each a check of its own:
 *
 * - `accepts`: a write returns nothing or a promise, and settles while somebody draws; bytes arrive in order, each once.
 * - `borrowed`: bytes are copied if they are needed after the write has settled, and nothing round them is touched.
 * - `empty`: a write of nothing does nothing.
 * - `cut`: characters and sequences may be cut anywhere between writes.
 * - `reset`, `abandon`, `resize`: may be called at any time, if the sink has them, and leave it working.
 * - `drawn`: what it tells to have been drawn never decreases, never exceeds what was written, and gets there.
 * - `close`: settles, also right after creation and while a write is under way; what was carried comes out.
 * - `apart`: two sinks don't share anything.
 *
 * What a sink need not do: never throw, never reject, never stall. The bridge ends its pipe then, and no other.
 */
import { checkMethods } from '../errors.ts';
import type { Sink } from './sink.ts';

/** A sink to be checked. */
export interface SinkUnderTest {
  /** The sink. */
  readonly sink: Sink;
  /**
   * Returns all bytes that have come out at its other end. @defaultValue what comes out isn't compared
   */
  readonly received?: () => Uint8Array | PromiseLike<Uint8Array>;
}

/** How a sink is checked. */
export interface ConformanceOptions {
  /** Makes a new sink, as often as needed. */
  readonly create: () => SinkUnderTest | PromiseLike<SinkUnderTest>;
  /** How long a write, a close or an acknowledgement may take (ms). @defaultValue 2000 */
  readonly timeoutMs?: number;
}

/** The outcome of one check. */
export interface SinkCheck {
  /** Name of the check; the list is in the header of the module. */
  readonly name: string;
  /** What is wrong; undefined if nothing is. */
  readonly problem: string | undefined;
}

const text = 'plain, é, 漢字, 👩‍💻 and \u001b[1;31mred\u001b[0m\r\n';
const sample = new TextEncoder().encode(text);

class Problem extends Error {}

const expect = (holds: boolean, problem: string): void => {
  if (!holds) throw new Problem(problem);
};

/** One run of one check. */
class Run {
  readonly #options: ConformanceOptions;
  readonly #timeoutMs: number;
  readonly written: number[] = [];
  drawn: number[] = [];
  under!: SinkUnderTest;

  constructor(options: ConformanceOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 2000;
  }

  async open(): Promise<Sink> {
    this.under = await this.#options.create();
    const { sink } = this.under;
    sink.onDrawn?.((bytes) => this.drawn.push(bytes));
    return sink;
  }

  async within<Value>(what: string, promise: PromiseLike<Value> | Value): Promise<Value> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Problem(`${what} took more than ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Writes as a pipe does: borrowed bytes inside of others, which are destroyed afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    const { sink } = this.under;
    const memory = new Uint8Array(bytes.length + 16).fill(0x7e);
    memory.set(bytes, 8);
    const view = memory.subarray(8, 8 + bytes.length);
    const result = sink.write(view);
    expect(
      result === undefined || typeof result?.then === 'function',
      `write returned ${typeof result}, neither nothing nor a promise`,
    );
    await this.within('a write', result);
    expect(
      memory.subarray(0, 8).every((byte) => byte === 0x7e) &&
        memory.subarray(8 + bytes.length).every((byte) => byte === 0x7e),
      'bytes beside the written ones were changed',
    );
    expect(
      view.every((byte, index) => byte === bytes[index]),
      'the written bytes were changed',
    );
    memory.fill(0xdb);
    for (const byte of bytes) this.written.push(byte);
  }

  async close(error?: Error): Promise<void> {
    await this.within('close', this.under.sink.close?.(error));
  }

  /** Compares what came out; waits a little for sinks that settle before their other end has it. */
  async compare(): Promise<void> {
    const { received } = this.under;
    if (received === undefined) return;
    const deadline = Date.now() + this.#timeoutMs;
    for (;;) {
      const got = await received();
      const same =
        got.length === this.written.length && this.written.every((byte, at) => byte === got[at]);
      if (same) return;
      const at = this.written.findIndex((byte, index) => byte !== got[index]);
      const where = at < 0 ? `${got.length} instead of ${this.written.length} bytes` : `byte ${at}`;
      expect(Date.now() < deadline, `what came out differs from what was written: ${where}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

type Check = (run: Run) => Promise<void>;

const checks: Readonly<Record<string, Check>> = {
  accepts: async (run) => {
    await run.open();
    for (const length of [1, 2, 3, 100, 4096, 70_000, 1]) {
      await run.write(new Uint8Array(length).map((_, index) => 0x20 + ((index + length) % 90)));
    }
    await run.close();
    await run.compare();
  },
  borrowed: async (run) => {
    await run.open();
    for (let round = 0; round < 20; round++) await run.write(sample);
    await run.close();
    await run.compare();
  },
  empty: async (run) => {
    await run.open();
    await run.write(new Uint8Array(0));
    await run.write(sample);
    await run.write(new Uint8Array(0));
    await run.close();
    await run.compare();
  },
  cut: async (run) => {
    await run.open();
    for (const byte of sample) await run.write(Uint8Array.of(byte));
    for (let at = 1; at < sample.length; at++) {
      await run.write(sample.subarray(0, at));
      await run.write(sample.subarray(at));
    }
    await run.close();
    await run.compare();
  },
  reset: async (run) => {
    const sink = await run.open();
    sink.reset?.();
    await run.write(sample);
    sink.reset?.();
    sink.reset?.();
    await run.write(sample);
    await run.close();
    await run.compare();
  },
  resize: async (run) => {
    const sink = await run.open();
    sink.resize?.(132, 43);
    await run.write(sample);
    sink.resize?.(1, 1);
    sink.resize?.(80, 24);
    await run.write(sample);
    sink.resize?.(500, 200);
    await run.close();
    await run.compare();
  },
  abandon: async (run) => {
    const sink = await run.open();
    sink.abandon?.();
    await run.write(sample);
    const writing = sink.write(sample.slice());
    sink.abandon?.();
    await run.within('a write that was abandoned', writing);
    await run.write(sample);
    await run.close();
  },
  drawn: async (run) => {
    const sink = await run.open();
    if (sink.onDrawn === undefined) return;
    for (let round = 0; round < 10; round++) await run.write(sample);
    const total = run.written.length;
    const told = async (): Promise<void> => {
      while (run.drawn.at(-1) !== total) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await run.within('telling that all was drawn', told());
    expect(
      run.drawn.every((bytes, index) => bytes >= (run.drawn[index - 1] ?? 0) && bytes <= total),
      `told to have drawn ${run.drawn.join(', ')} of ${total} bytes`,
    );
    await run.close();
  },
  close: async (run) => {
    await run.open();
    await run.close();
    await run.open();
    await run.close(new Error('the session failed'));
    const sink = await run.open();
    const writing = sink.write(sample.slice());
    await run.close();
    await run.within('a write that was under way at the end', settledEitherWay(writing));
  },
  apart: async (run) => {
    const one = await run.open();
    const { under } = run;
    const other = new Run({ create: () => under });
    await run.open();
    expect(run.under.sink !== one, 'create returned the same sink twice');
    await run.write(sample);
    other.under = under;
    await other.write(sample.subarray(0, 5));
    await run.close();
    await other.close();
    await run.compare();
    await other.compare();
  },
};

/** A write that is cut short by the end may fail: that is its way to tell. */
const settledEitherWay = async (writing: undefined | PromiseLike<unknown>): Promise<void> => {
  try {
    await writing;
  } catch {
    // as good as settled
  }
};

/**
 * Checks a sink against the contract.
 *
 * @param options - how to make one, and how long it may take
 * @returns one entry a check, in the order of the list above
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { memorySink } from '@millrace/bridge';
 * import { checkSink } from '@millrace/bridge/sinks/conformance';
 *
 * const checks = await checkSink({
 *   create: () => {
 *     const sink = memorySink();
 *     return { sink, received: () => sink.contents() };
 *   },
 * });
 * assert.deepEqual(checks.filter((check) => check.problem !== undefined), []);
 *
 * // A sink that keeps what it only borrowed:
 * const kept: Uint8Array[] = [];
 * const wrong = await checkSink({
 *   create: () => {
 *     kept.length = 0;
 *     const sink = { write: (bytes: Uint8Array) => void kept.push(bytes) };
 *     return { sink, received: () => Buffer.concat(kept) };
 *   },
 *   timeoutMs: 50,
 * });
 * assert.match(wrong.find((check) => check.name === 'borrowed')?.problem ?? '', /differs/);
 * ```
 */
export async function checkSink(options: ConformanceOptions): Promise<readonly SinkCheck[]> {
  checkMethods('options', options, 'create');
  const results: SinkCheck[] = [];
  for (const [name, check] of Object.entries(checks)) {
    let problem: string | undefined;
    try {
      await check(new Run(options));
    } catch (error) {
      problem = error instanceof Problem ? error.message : `it failed: ${error}`;
    }
    results.push({ name, problem });
  }
  return results;
}

/**
 * Throws unless a sink fulfils the contract; for a test of any framework.
 *
 * @param options - as for `checkSink`
 * @throws {Error} (rejects) naming every check that failed and what is wrong
 */
export async function assertSink(options: ConformanceOptions): Promise<void> {
  const failed = (await checkSink(options)).filter((check) => check.problem !== undefined);
  if (failed.length === 0) return;
  const list = failed.map(({ name, problem }) => `${name}: ${problem}`).join('\n');
  throw new Error(`the sink doesn't fulfil the contract\n${list}`);
}
