/**
 * Goal: the tracker comes to the same state however its bytes are cut, and what it calls known is right.
 * Method: random sequences cut at random places against one push; a pen against a naive reading; xterm.js as the
 * judge of the cursor.
 */
import { fc, test } from '@fast-check/vitest';
import xterm from '@xterm/headless';
import { describe, expect } from 'vitest';
import { dialectOf } from '../src/resync/dialect.ts';
import { Grammar, type GrammarTarget } from '../src/resync/grammar.ts';
import { unknownTo } from '../src/resync/inexact.ts';
import { Pen } from '../src/resync/pen.ts';
import { StreamTracker } from '../src/resync/tracker.ts';
import { told } from './support/told.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 200);
const columns = 30;
const rows = 8;

const unit = fc.oneof(
  fc.constantFrom(
    'plain',
    '日本',
    'é',
    '\r\n',
    '\n',
    '\r',
    '\x1b7',
    '\x1b8',
    '\x1b[m',
    '\x1b[2J\x1b[H',
  ),
  fc.constantFrom(
    '\x1b[3;6r',
    '\x1b[r',
    '\x1bM\r',
    '\x1bE',
    '\x1b]0;t\x07',
    '\x1bPx\x1b\\',
    '\x1b[?25l',
  ),
  fc
    .tuple(fc.integer({ min: 1, max: rows }), fc.integer({ min: 1, max: columns }))
    .map(([y, x]) => `\x1b[${y};${x}H`),
  fc.integer({ min: 0, max: 107 }).map((code) => `\x1b[${code}m`),
);

function tracker(): StreamTracker {
  const made = new StreamTracker(dialectOf('3.3a'));
  made.anchor(told(columns, rows));
  made.pen.reset();
  return made;
}

const stateOf = (one: StreamTracker): unknown => ({
  pen: one.pen.sgr(),
  x: one.cursor.x,
  y: one.cursor.y,
  region: [one.cursor.top, one.cursor.bottom],
  saved: [one.saved.x, one.saved.y, one.saved.pen.sgr()],
  unknown: unknownTo(one),
  cut: [...one.cut],
  pending: one.grammar.sequenceBytes,
  history: one.history.size,
  backgrounds: one.shown.backgrounds.rows,
  last: one.lastCell,
});

/** What a grammar calls, in order, for pieces of so many bytes. */
function callsOf(bytes: Uint8Array, pieceBytes: number): string[] {
  const calls: string[] = [];
  const call = (name: string) => (value?: number | string) => calls.push(`${name} ${value}`);
  const target: GrammarTarget = {
    printed: (count) => calls.push(...Array<string>(count).fill('printed')),
    character: call('character'),
    replaced: call('replaced'),
    opened() {}, // not by what comes as a whole
    control: call('control'),
    escape: call('escape'),
    sequence: (...words) => calls.push(words.join(' ')),
    begun: call('begun'),
    other: call('other'),
    command: call('command'),
    image: call('image'),
    drawn: call('drawn'),
  };
  const grammar = new Grammar(target, true);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    grammar.push(bytes, at, Math.min(at + pieceBytes, bytes.length));
  }
  return [...calls, `sequence of ${grammar.sequenceBytes}`, `cut ${grammar.cut}`];
}

describe('characters', () => {
  // Beginnings, continuations and the places where a range ends, whole or not.
  const byte = fc.constantFrom(
    ...[0x80, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xe3, 0xed, 0xef, 0xf0, 0x41, 0x1b, 0x5b, 0xc0],
  );
  const whole = fc.constantFrom(
    '日',
    '\ud7ff',
    '\ue000',
    '\u0800',
    '\uffff',
    'é',
    '👍',
    '\x1bPq~\x1b\\',
  );
  const pieces = fc.oneof(
    fc.array(byte, { minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    whole.map((text) => Buffer.from(text)),
  );
  test.prop([fc.array(pieces, { maxLength: 12 }), fc.integer({ min: 2, max: 9 })], {
    numRuns: 2 * numRuns,
  })('are the same in pieces of any size', (parts, pieceBytes) => {
    const bytes = Buffer.concat(parts);
    const calls = callsOf(bytes, 1);
    expect(callsOf(bytes, pieceBytes)).toEqual(calls);
    expect(callsOf(bytes, bytes.length)).toEqual(calls);
  });

  test.each([
    [[0xe0, 0x9f, 0xbf], 'replaced undefined'],
    [[0xe0, 0xa0, 0x80], 'character 2048'],
    [[0xed, 0x9f, 0xbf], `character ${0xd7ff}`],
    [[0xed, 0xa0, 0x80], 'replaced undefined'],
    [[0xee, 0x80, 0x80], `character ${0xe000}`],
    [[0xef, 0xbf, 0xbf], `character ${0xffff}`],
  ])('%j: %s', (bytes, wanted) => {
    expect(callsOf(Uint8Array.from(bytes), 3)[0]).toBe(wanted);
  });
});

describe('the tracker', () => {
  test.prop(
    [fc.array(unit, { maxLength: 60 }), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })],
    {
      numRuns,
    },
  )('is indifferent to where its bytes are cut', (units, cuts) => {
    const bytes = Buffer.from(units.join(''));
    const whole = tracker();
    whole.push(bytes, 0, bytes.length);
    const pieces = tracker();
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const end = Math.min(bytes.length, at + cuts[turn % cuts.length]!);
      pieces.push(bytes, at, end);
      at = end;
    }
    expect(stateOf(pieces)).toEqual(stateOf(whole));
  });

  test.prop([fc.array(unit, { maxLength: 40 })], { numRuns: Math.min(numRuns, 300) })(
    'knows where the cursor is, or knows that it does not',
    async (units) => {
      const bytes = Buffer.from(units.join(''));
      const one = tracker();
      one.push(bytes, 0, bytes.length);
      const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
      await new Promise<void>((resolve) => terminal.write(bytes, resolve));
      const { cursorX, cursorY } = terminal.buffer.active;
      terminal.dispose();
      if (one.cursor.x >= 0) expect(one.cursor.x).toBe(cursorX);
      if (one.cursor.y >= 0) expect(one.cursor.y).toBe(cursorY);
    },
  );

  test('names a pen that it joined in the middle, and learns it from a reset', () => {
    const one = new StreamTracker(dialectOf('3.3a'));
    one.push(Buffer.from('abc\x1b[31m'), 0, 8);
    expect(unknownTo(one)).toContain('pen');
    one.push(Buffer.from('\x1b[m'), 0, 3);
    expect(unknownTo(one)).not.toContain('pen');
  });

  test('learns of a saved pen only what the current one still has from before', () => {
    const one = new StreamTracker(dialectOf('3.3a'));
    one.anchor(told(columns, rows));
    const feed = (text: string): void => one.push(Buffer.from(text), 0, text.length);
    // Joined within a run; its foreground is saved, then another one set.
    feed('\x1b7\x1b[31mx');
    const cell = new Pen(true);
    cell.apply('31;44');
    one.learn(cell);
    expect(one.pen.known).toBe(true);
    expect(one.savedPensKnown).toBe(false);
    feed('\x1b8');
    expect(unknownTo(one)).toContain('pen');
    cell.apply('32');
    one.learn(cell);
    expect(one.pen.sgr()).toBe('\x1b[0;32;44m');
  });

  test('knows the background of erased cells, unless their place is not certain', () => {
    const one = tracker();
    const feed = (text: string): void => one.push(Buffer.from(text), 0, Buffer.from(text).length);
    feed('ab\x1b[44m\x1b[K\x1b[5G\x1b[41m\x1b[K');
    expect(unknownTo(one)).toEqual([]);
    expect(one.shown.backgrounds.rows[0]).toEqual([
      { x: 2, background: '44' },
      { x: 4, background: '41' },
    ]);
    feed('👍\x1b[K');
    expect(unknownTo(one)).toEqual(['erased-background']);
    feed('\x1b[m\x1b[2J');
    expect(unknownTo(one)).toEqual([]);
  });
});

describe('a pen', () => {
  test.prop([fc.array(fc.integer({ min: 0, max: 107 }), { maxLength: 20 })], { numRuns })(
    'gives back what was applied',
    (codes) => {
      const pen = new Pen(true);
      pen.apply(codes.join(';'));
      const again = new Pen(true);
      again.apply(pen.sgr().slice(2, -1));
      expect(again.sgr()).toBe(pen.sgr());
    },
  );
});
