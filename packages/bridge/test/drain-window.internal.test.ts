/**
 * Goal: the window finds what a link drains in its delay and the allowed one, keeps the link full and its queue short, and
 * follows a link that changes; whatever happens it stays within its limits and never forgets a byte on its way.
 * Method: a simulated link that is always given as much as the window allows; random links by fast-check.
 */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { DrainWindow, type Piece } from '../src/flow/drain-window.ts';

const runs = Number(process.env['FC_RUNS'] ?? 15);
const pieceBytes = 256;

interface Link {
  readonly bytesPerMs: number;
  readonly baseMs: number;
  /** The link drains in gulps at multiples of this (ms); 0 for evenly. */
  readonly gulpMs: number;
}

/** Runs a link that is never short of bytes; returns what it carried and how long pieces waited, from `fromMs` on. */
function saturate(
  window: DrainWindow,
  link: (now: number) => Link,
  untilMs: number,
  fromMs: number,
) {
  const flying: { piece: Piece; at: number }[] = [];
  let now = 0;
  let freeAt = 0;
  let carried = 0;
  let worst = 0;
  while (now < untilMs) {
    while (window.inFlight + pieceBytes <= window.bytes || window.inFlight === 0) {
      const { bytesPerMs, baseMs, gulpMs } = link(now);
      const piece: Piece = {
        end: 0,
        bytes: pieceBytes,
        sentAt: 0,
        load: 0,
        busy: false,
        follows: false,
      };
      window.sent(now, piece);
      freeAt = Math.max(freeAt, now) + pieceBytes / bytesPerMs;
      const leaves = gulpMs === 0 ? freeAt : Math.ceil(freeAt / gulpMs) * gulpMs;
      flying.push({ piece, at: leaves + baseMs });
    }
    const { piece, at } = flying.shift()!;
    now = Math.max(now, at);
    window.drained(now, piece);
    if (now < fromMs) continue;
    carried += pieceBytes;
    worst = Math.max(worst, now - piece.sentAt - link(now).baseMs);
  }
  return { rate: carried / (now - fromMs), worst, flying };
}

describe('a window', () => {
  test.prop(
    [
      fc.double({ min: 500, max: 5000, noNaN: true }),
      fc.double({ min: 0, max: 200, noNaN: true }),
      fc.double({ min: 2, max: 50, noNaN: true }),
    ],
    { numRuns: runs },
  )('keeps a steady link full and its queue short, for seconds', (bytesPerMs, baseMs, delayMs) => {
    const window = new DrainWindow({ delayMs, bytesMin: 4096, bytesMax: 1 << 26 });
    const result = saturate(window, () => ({ bytesPerMs, baseMs, gulpMs: 0 }), 12_000, 6_000);
    expect(result.rate).toBeGreaterThan(0.7 * bytesPerMs);
    // What the least window holds, and a trial of it, is the floor of what can be promised; and when a probe for the
    // base delay ends, half of what the link holds leaves at once, in a trial three quarters.
    const floorMs = (4096 * 1.75) / bytesPerMs;
    const pieceMs = pieceBytes / bytesPerMs;
    expect(result.worst).toBeLessThan(2 * delayMs + 4 * pieceMs + floorMs + 0.8 * baseMs);
  });

  test('follows a link that becomes slower, and one that becomes faster, within seconds', () => {
    const window = new DrainWindow({ delayMs: 5, bytesMin: 4096, bytesMax: 1 << 24 });
    const link = (now: number): Link => ({
      bytesPerMs: now > 10_000 && now < 20_000 ? 200 : 5000,
      baseMs: 10,
      gulpMs: 0,
    });
    const at: number[] = [];
    const marks = [9_900, 13_000, 30_000];
    const watched = (now: number): Link => {
      if (now > marks[at.length]!) at.push(window.rate);
      return link(now);
    };
    saturate(window, watched, 31_000, 0);
    expect(at[0]).toBeGreaterThan(4000);
    expect(at[1]).toBeLessThan(400);
    expect(at[2]).toBeGreaterThan(4000);
  });

  test.prop(
    [fc.double({ min: 1000, max: 1500, noNaN: true }), fc.double({ min: 5, max: 60, noNaN: true })],
    { numRuns: runs },
  )('does not take the end of a slow start for a gain (W6)', (bytesPerMs, coldMs) => {
    const window = new DrainWindow({ delayMs: 4, bytesMin: 8192, bytesMax: 1 << 24 });
    let most = 0;
    const link = (now: number): Link => {
      most = Math.max(most, window.bytes);
      // A process that has just begun books what was drained late.
      return { bytesPerMs: now < coldMs ? bytesPerMs / 3 : bytesPerMs, baseMs: 0, gulpMs: 5 };
    };
    saturate(window, link, 2000, 0);
    expect(most).toBeLessThan(50_000);
  });

  test.prop([fc.double({ min: 100, max: 10_000, noNaN: true }), fc.integer({ min: 1, max: 20 })], {
    numRuns: runs,
  })('is not fooled by a link that drains in gulps', (bytesPerMs, gulpMs) => {
    const window = new DrainWindow({ delayMs: 4, bytesMin: 8192, bytesMax: 1 << 24 });
    saturate(window, () => ({ bytesPerMs, baseMs: 0, gulpMs }), 10_000, 5_000);
    expect(window.rate).toBeLessThan(2.2 * bytesPerMs + pieceBytes / gulpMs);
  });

  test.prop(
    [
      fc.array(
        fc.tuple(
          fc.constantFrom('send', 'drain', 'part', 'forget'),
          fc.integer({ min: 1, max: 100_000 }),
          fc.double({ min: 0, max: 2000, noNaN: true }),
        ),
        { maxLength: 200 },
      ),
    ],
    { numRuns: runs },
  )('stays within its limits and counts what is on its way', (steps) => {
    const window = new DrainWindow({ delayMs: 4, bytesMin: 8192, bytesMax: 65_536 });
    const flying: Piece[] = [];
    let now = 0;
    for (const [what, bytes, waitMs] of steps) {
      now += waitMs;
      const piece = flying[0];
      if (what === 'send') {
        const sent: Piece = { end: 0, bytes, sentAt: 0, load: 0, busy: false, follows: false };
        window.sent(now, sent);
        flying.push(sent);
      } else if (piece === undefined) continue;
      else if (what === 'part') {
        if (piece.bytes < 2) continue;
        const part = piece.bytes >> 1;
        window.drainedPart(now, part);
        piece.bytes -= part;
      } else {
        flying.shift();
        if (what === 'drain') window.drained(now, piece);
        else window.forgotten(piece);
      }
      expect(window.inFlight).toBe(flying.reduce((sum, one) => sum + one.bytes, 0));
      expect(window.bytes).toBeGreaterThanOrEqual(8192); // W1
      expect(window.bytes).toBeLessThanOrEqual(65_536);
      expect(Number.isFinite(window.rate)).toBe(true);
    }
  });
});
