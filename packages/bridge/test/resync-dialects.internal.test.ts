/**
 * Goal: a screen reads the same whatever the version of tmux that tells it, and the tracker takes bytes as that version
 * does.
 * Method: what real tmuxes told of the same bytes (3.5a, 3.6b to 3.8), and the rules by which 3.6 prints what is no
 * character; the other tests compare with the tmux that is here, which may be any (`MILLRACE_TMUX`).
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { areDefault, capturedRows as captured } from '../src/resync/captured-rows.ts';
import { dialectOf } from '../src/resync/dialect.ts';
import { StreamTracker } from '../src/resync/tracker.ts';

const stops = { columns: 40, tabs: [8, 16, 24, 32] };
const newest = dialectOf('3.8');
const capturedRows = (...args: Parameters<typeof captured>): string[] => captured(...args).rows;

describe('captured rows', () => {
  test('tabs and blank ends, as real tmuxes tell them', () => {
    const of33 = ['a       b', '\x1b[44mx\x1b[49m       \x1b[44my\x1b[49m'];
    const of35 = ['a       b ', '\x1b[44mx\x1b[49m       \x1b[44my\x1b[49m '];
    const of36 = ['a\tb ', '\x1b[44mx\x1b[49m\t\x1b[44my\x1b[49m '];
    expect(capturedRows(of33, dialectOf('3.3a'), stops)).toEqual(of33);
    expect(capturedRows(of35, dialectOf('3.5a'), stops)).toEqual(of33);
    expect(capturedRows(of36, dialectOf('3.6b'), stops)).toEqual(of33);
  });

  test('blank cells with a colour stay, also if it was set in a row above', () => {
    const rows = ['\x1b[44m  ', '  ', '\x1b[49m  '];
    expect(capturedRows(rows, newest, stops)).toEqual(['\x1b[44m  ', '  ', '\x1b[49m']);
  });

  test("the cursor's row stays as long as it is", () => {
    expect(capturedRows(['a ', 'b '], newest, stops, { whole: 1 })).toEqual(['a', 'b ']);
  });

  test('a tab reaches to the next stop, or to the last column', () => {
    expect(capturedRows(['\tx'], newest, { columns: 10, tabs: [4] })).toEqual(['    x']);
    expect(capturedRows(['12345\tx'], newest, { columns: 10, tabs: [4] })).toEqual(['12345    x']);
    expect(capturedRows(['日\tx'], newest, stops)).toEqual(['日      x']);
    expect(capturedRows(['\x1b]8;;http://a\x1b\\y\x1b]8;;\x1b\\\tx'], newest, stops)).toEqual([
      '\x1b]8;;http://a\x1b\\y\x1b]8;;\x1b\\       x',
    ]);
  });

  test('behind a character whose width is disputed a tab stays one', () => {
    expect(capturedRows(['a\t👍\tx'], newest, stops)).toEqual(['a       👍\tx']);
  });

  test('text without tabs only loses its blank end', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', 'é', '日') }), (row) => {
        expect(capturedRows([row], newest, stops)).toEqual([row.trimEnd()]);
      }),
    );
  });

  test('default stops are told from others', () => {
    expect(areDefault([8, 16], 20)).toBe(true);
    expect(areDefault([8, 16], 24)).toBe(true);
    expect(areDefault([8, 16, 24], 25)).toBe(true);
    expect(areDefault([], 8)).toBe(true);
    expect(areDefault([8], 24)).toBe(false);
    expect(areDefault([5, 8, 16], 24)).toBe(false);
  });
});

describe('bytes', () => {
  const columnAfter = (version: string, bytes: readonly number[]): number => {
    const tracker = new StreamTracker(dialectOf(version));
    Object.assign(tracker.cursor, { columns: 40, rows: 5 });
    const all = Uint8Array.from([0x1b, 0x63, ...bytes]);
    tracker.push(all, 0, all.length);
    return tracker.cursor.x;
  };

  test.each([
    ['a byte that begins no character', [0x80, 0xff], 0, 2],
    ['a character that ASCII ends', [0xe3, 0x81, 0x70], 1, 2],
    ['a character that a control ends', [0x61, 0xc3, 0x07], 1, 2],
    ['a character with a bad byte', [0xe3, 0xc3, 0x81], 0, 1],
    ['a surrogate', [0xed, 0xa0, 0x80], 0, 1],
    ['a character that is whole', [0xc3, 0xa9], 1, 1],
    ['REP of a character', [0xc3, 0xa9, 0x1b, 0x5b, 0x33, 0x62], 1, 4],
    ['REP of what was put in place of another', [0x80, 0x1b, 0x5b, 0x33, 0x62], 0, 1],
    ['REP of ASCII', [0x61, 0x1b, 0x5b, 0x33, 0x62], 4, 4],
  ])('%s', (_, bytes, before, since) => {
    expect(columnAfter('3.3a', bytes)).toBe(before);
    expect(columnAfter('3.6', bytes)).toBe(since);
  });
});
