/**
 * Goal: a mouse event reaches the program as it asked for it, and only if it did.
 * Method: any event in any mode against a decoder that reads it back, through a real tmux and a program that echoes.
 */
import { connect, type MouseInput, memorySink, type Session } from '@millrace/bridge';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

interface Seen {
  readonly code: number;
  readonly column: number;
  readonly row: number;
  readonly final: string;
}

/** Reads all mouse sequences of a text in a form. */
function decode(bytes: Buffer, form: string): Seen[] {
  const text = bytes.toString(form === '1005' ? 'utf8' : 'latin1');
  const seen: Seen[] = [];
  const add = (code: number, column: number, row: number, final: string): number =>
    seen.push({ code, column: column - 1, row: row - 1, final });
  if (form === '1006') {
    for (const [, code, x, y, final] of text.matchAll(/\[<(\d+);(\d+);(\d+)([Mm])/g)) {
      add(Number(code), Number(x), Number(y), final!);
    }
    return seen;
  }
  for (const [, code, x, y] of text.matchAll(/\[M(.)(.)(.)/gsu)) {
    const value = (char: string | undefined): number => char!.codePointAt(0)! - 32;
    add(value(code), value(x), value(y), 'M');
  }
  return seen;
}

/** What a decoder must see of an event, or nothing. */
function expected(input: MouseInput, events: string, form: string): Seen | undefined {
  const { type, button = 'none', column, row } = input;
  if (type === 'move' && events === '1000') return undefined;
  if (type === 'move' && events === '1002' && button === 'none') return undefined;
  if (form === '' && Math.max(column, row) > 222) return undefined;
  if (form === '1005' && Math.max(column, row) > 2014) return undefined;
  const isReleased = type === 'release' && form !== '1006';
  const base = isReleased ? 3 : { left: 0, middle: 1, right: 2, up: 64, down: 65, none: 3 }[button];
  const modifiers = (input.shift ? 4 : 0) + (input.alt ? 8 : 0) + (input.control ? 16 : 0);
  const final = form === '1006' && type === 'release' ? 'm' : 'M';
  return { code: base + modifiers + (type === 'move' ? 32 : 0), column, row, final };
}

const place = { column: fc.nat(3000), row: fc.oneof(fc.nat(60), fc.nat(3000)) };
const keys = { shift: fc.boolean(), alt: fc.boolean(), control: fc.boolean() };
const inputs: fc.Arbitrary<MouseInput> = fc.oneof(
  fc.record({
    type: fc.constantFrom('press', 'release'),
    button: fc.constantFrom('left', 'middle', 'right'),
    ...place,
    ...keys,
  }),
  fc.record({
    type: fc.constant('move'),
    button: fc.constantFrom('left', 'middle', 'right', 'none'),
    ...place,
    ...keys,
  }),
  fc.record({
    type: fc.constant('wheel'),
    button: fc.constantFrom('up', 'down'),
    ...place,
    ...keys,
  }),
) as fc.Arbitrary<MouseInput>;

async function echoing(modes: readonly string[]): Promise<{ session: Session; after(): Buffer }> {
  const sink = memorySink();
  const set = modes.map((mode) => `\\033[?${mode}h`).join('');
  const session = await connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: 'main',
    create: { command: `stty raw -echo; printf '${set}READY'; exec cat` },
    sink: () => sink,
  });
  await until(() => Buffer.from(sink.contents()).includes('READY'));
  return {
    session,
    after: () => {
      const all = Buffer.from(sink.contents());
      return all.subarray(all.indexOf('READY') + 5);
    },
  };
}

describe.skipIf(!hasTmux)('the mouse', () => {
  test.each([
    ['1000', ''],
    ['1002', ''],
    ['1003', ''],
    ['1000', '1005'],
    ['1002', '1006'],
    ['1003', '1006'],
  ])('mode %s, form %s', async (events, form) => {
    const { session, after } = await echoing(form === '' ? [events] : [events, form]);
    const pane = [...session.panes.values()][0]!;
    const wanted: Seen[] = [];
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const want = expected(input, events, form);
        expect(await pane.mouse(input)).toBe(want !== undefined);
        if (want !== undefined) wanted.push(want);
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 40) },
    );
    await pane.type('END');
    await until(() => after().includes('END'));
    expect(decode(after(), form)).toEqual(wanted);
    await session.close();
  });

  test('a program that did not ask, and a pane in copy mode, are told nothing', async () => {
    const { session, after } = await echoing([]);
    const pane = [...session.panes.values()][0]!;
    const click: MouseInput = { type: 'press', button: 'left', column: 1, row: 2 };
    expect(await pane.mouse(click)).toBe(false);
    await pane.type('\x1b[?1000h'); // echoed: the pane has written, so tmux is asked again
    await until(() => after().length > 0);
    expect(await pane.mouse(click)).toBe(true);
    await session.command('copy-mode', '-t', `%${pane.id}`);
    await until(() => pane.info.mode === 'copy-mode');
    expect(await pane.mouse(click)).toBe(false);
    await pane.leaveMode();
    await pane.leaveMode();
    await until(() => pane.info.mode === '');
    expect(await pane.mouse(click)).toBe(true);
    await expect(pane.mouse({ ...click, button: 'up' })).rejects.toMatchObject({
      code: 'ERR_BRIDGE_ARGUMENT',
    });
    await expect(pane.mouse({ ...click, row: -1 })).rejects.toMatchObject({
      code: 'ERR_BRIDGE_ARGUMENT',
    });
    await session.close();
  });
});

describe.skipIf(!hasTmux)('the size', () => {
  test('of many wishes the last is what tmux is told, and what it made of it is told back', async () => {
    const { session } = await echoing([]);
    const wishes = Array.from({ length: 50 }, (_, index) => session.resize(80 + index, 20 + index));
    const sizes = await Promise.all(wishes);
    expect(sizes[0]).toEqual({ columns: 80, rows: 20 });
    for (const size of sizes.slice(1)) expect(size).toEqual({ columns: 129, rows: 69 });
    await session.command('set-option', '-w', 'window-size', 'manual');
    await session.command('resize-window', '-x', '60', '-y', '15');
    expect(await session.resize(90, 30)).toEqual({ columns: 60, rows: 15 });
    await expect(session.resize(0, 10)).rejects.toMatchObject({ code: 'ERR_BRIDGE_ARGUMENT' });
    await session.close();
  });
});
