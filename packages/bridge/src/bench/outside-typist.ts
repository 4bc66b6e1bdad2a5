/**
 * Types from a thread of its own, into the terminal that the echoing program has: for a contender whose main thread is
 * busy. Keys that this thread typed itself would come only when it is free, and so would find their echo as soon as an
 * idle thread does.
 *
 * ```text
 * this file's thread ──key──▶ /dev/pts/N ──▶ tmux ──▶ contender's main thread ──▶ viewer ──▶ Typist.see
 *         └── sentAt[key] = now, then count = key + 1 ──────── shared memory ───────────────────┘
 * ```
 *
 * O1: a key's stamp is stored before its count is, and its count before it is written: whoever sees the key finds it.
 * O2: keys don't favour a phase of what repeats every so many ms: at steps of 20 ms they would meet a loop of 50 ms at
 *     the same five phases for as long as the two keep step. Each is late by another part of the interval, after the
 *     golden ratio, whose multiples fill every period evenly (Weyl, 1916).
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClock } from '../measure/clock.ts';
import { keyText } from './key-text.ts';

/** What the typing thread is told; all of it can be posted. */
export interface OutsideTyping {
  /** The terminal's device, as tmux tells it. */
  readonly terminal: string;
  readonly intervalMs: number;
  readonly keys: number;
  /** The epoch of the clock that all stamps are of. */
  readonly epoch: bigint;
  /** Keys typed so far: one i32. */
  readonly count: SharedArrayBuffer;
  /** When each was (ns): an f64 a key. */
  readonly sentAt: SharedArrayBuffer;
}

/** Returns what to tell a thread that types so many keys. */
export const outsideTyping = (
  terminal: string,
  intervalMs: number,
  keys: number,
  epoch: bigint,
): OutsideTyping => ({
  terminal,
  intervalMs,
  keys,
  epoch,
  count: new SharedArrayBuffer(4),
  sentAt: new SharedArrayBuffer(keys * 8),
});

const goldenRatio = (Math.sqrt(5) - 1) / 2;

/** Returns when a key is due after the first (ms): in its own interval, at a place that follows no period (O2). */
export const keyDueMs = (key: number, intervalMs: number): number =>
  (key + ((key * goldenRatio) % 1)) * intervalMs;

/** Types all keys at their times; the thread's whole program. */
export async function typeOutside(typing: OutsideTyping): Promise<void> {
  const { terminal, intervalMs, keys, epoch } = typing;
  const clock = createClock(epoch);
  const count = new Int32Array(typing.count);
  const sentAt = new Float64Array(typing.sentAt);
  const file = openSync(terminal, constants.O_WRONLY | constants.O_NOCTTY);
  const first = performance.now();
  for (let key = 0; key < keys; key++) {
    await sleep(Math.max(0, first + keyDueMs(key, intervalMs) - performance.now()));
    sentAt[key] = clock.now();
    Atomics.store(count, 0, key + 1); // O1
    writeSync(file, keyText(key));
  }
  closeSync(file);
}
