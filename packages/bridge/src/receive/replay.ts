/**
 * A recording as a transport: what tmux once sent, delivered again.
 *
 * Three paces. `recorded` keeps the recorded gaps (divided by `speed`). `max` hands out 64 KiB reads, the
 * largest that Node makes from a pipe, as fast as they are taken. `records` is open-loop: line number n of
 * the output is due n / rate seconds after the start, whether or not anybody keeps up, and each chunk says
 * when its first record was due; latency is then counted from the schedule, not from a late delivery. What is due in one
 * turn of the event loop came at once.
 *
 * Until the next record is due, a thread that does nothing else sleeps, at least 0.1 ms and at most 1 ms, then looks at its
 * event loop; any other thread keeps turning its loop. Turning it makes garbage and takes the core that the next station's
 * thread, or its garbage collector, needs.
 *
 * Commands are swallowed: the replies in the recording answer those that were sent back then.
 */
import { type Clock, platformClock } from '../measure/clock.ts';
import type { Recording } from './recording-format.ts';
import type { Receiver, Transport } from './transport.ts';

/** How fast a recording is replayed. */
export type ReplayPace = RecordedPace | MaximumPace | OpenLoopPace;

/** With the recorded gaps. */
export interface RecordedPace {
  /** Discriminates the union. */
  readonly kind: 'recorded';
  /** Divides the gaps (above 0): 2 is twice as fast. */
  readonly speed: number;
}

/** As fast as it is taken, in reads of 64 KiB. */
export interface MaximumPace {
  /** Discriminates the union. */
  readonly kind: 'max';
}

/** Open-loop: a record is due at its time, whether or not anybody keeps up. */
export interface OpenLoopPace {
  /** Discriminates the union. */
  readonly kind: 'records';
  /** Records of output a second (above 0). */
  readonly perSecond: number;
}

/** How a recording is replayed. */
export interface ReplayOptions {
  readonly pace: ReplayPace;
  /** How often the recording is played, 1 or more. */
  readonly loops: number;
}

const readBytes = 65_536;
/** How long a thread of its own sleeps before the next record is due (ms): 20 records at 200,000 a second. */
const napMsMin = 0.1;
/** How soon it must look at its messages again (ms). */
const napMsMax = 1;

/** A piece of the recording: bytes and when they are due, in microseconds since the start of a loop. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly dueMicroseconds: number;
}

/** Cuts what tmux sent into reads of 64 KiB, due at once. */
function readsOf(data: Uint8Array): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0; start < data.length; start += readBytes) {
    pieces.push({ bytes: data.subarray(start, start + readBytes), dueMicroseconds: 0 });
  }
  return pieces;
}

/** Cuts what tmux sent after each output line; a piece is due with its output line, in order of lines. */
function recordsOf(data: Uint8Array, perSecond: number): Piece[] {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const pieces: Piece[] = [];
  let start = 0;
  let lineStart = 0;
  while (lineStart < view.length) {
    const newline = view.indexOf(0x0a, lineStart);
    const end = newline < 0 ? view.length : newline + 1;
    const name = view.toString('latin1', lineStart, Math.min(end, lineStart + 10));
    if (name.startsWith('%output ') || name === '%extended-') {
      pieces.push({
        bytes: data.subarray(start, end),
        dueMicroseconds: (pieces.length * 1e6) / perSecond,
      });
      start = end;
    }
    lineStart = end;
  }
  if (start < data.length) {
    pieces.push({
      bytes: data.subarray(start),
      dueMicroseconds: (pieces.length * 1e6) / perSecond,
    });
  }
  return pieces;
}

function piecesOf(recording: Recording, pace: ReplayPace): { pieces: Piece[]; loopMs: number } {
  const received = recording.frames.filter((frame) => !frame.toTmux);
  if (pace.kind === 'recorded') {
    const pieces = received.map((frame) => ({
      bytes: frame.bytes,
      dueMicroseconds: frame.atMicroseconds / pace.speed,
    }));
    return { pieces, loopMs: (pieces.at(-1)?.dueMicroseconds ?? 0) / 1000 };
  }
  const data = Buffer.concat(received.map((frame) => frame.bytes));
  if (pace.kind === 'max') return { pieces: readsOf(data), loopMs: 0 };
  const pieces = recordsOf(data, pace.perSecond);
  return { pieces, loopMs: (pieces.length * 1000) / pace.perSecond };
}

/** Plays a recording when opened. */
export class ReplayTransport implements Transport {
  readonly #pieces: readonly Piece[];
  readonly #loopMs: number;
  readonly #loops: number;
  readonly #clock: Clock;
  readonly #immediately: boolean;
  readonly #openLoop: boolean;
  /** What to sleep on; undefined in a thread that must not block. */
  readonly #nap: Int32Array | undefined;
  #receiver: Receiver | undefined;
  #index = 0;
  #loop = 0;
  #startMs = 0;
  /** The same moment by the session's clock (ns). */
  #startAt = 0;
  #pausedAtMs: number | undefined;
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;

  /** @param mayBlock - whether this thread does nothing else, and may sleep until a record is due */
  constructor(recording: Recording, options: ReplayOptions, clock: Clock, mayBlock = false) {
    const { pieces, loopMs } = piecesOf(recording, options.pace);
    this.#pieces = pieces;
    this.#loopMs = loopMs;
    this.#loops = pieces.length === 0 ? 0 : options.loops;
    this.#clock = clock;
    this.#immediately = options.pace.kind !== 'recorded';
    this.#openLoop = options.pace.kind === 'records';
    if (mayBlock && this.#openLoop && typeof SharedArrayBuffer !== 'undefined') {
      this.#nap = new Int32Array(new SharedArrayBuffer(4));
    }
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver;
    this.#startMs = platformClock.now();
    this.#startAt = this.#clock.now();
    this.#schedule(0);
  }

  #schedule(delayMs: number): void {
    this.#timer =
      this.#immediately || delayMs < 1
        ? setImmediate(this.#turn)
        : setTimeout(this.#turn, Math.min(delayMs, 1000));
  }

  /** One event-loop turn: everything that is due by now, at most one read's worth of bytes. */
  readonly #turn = (): void => {
    if (this.#pausedAtMs !== undefined) return;
    let budgetBytes = readBytes;
    let nowMs = platformClock.now();
    let waitMs = 0;
    while (budgetBytes > 0 && this.#loop < this.#loops && this.#pausedAtMs === undefined) {
      const piece = this.#pieces[this.#index]!;
      const afterMs = this.#loop * this.#loopMs + piece.dueMicroseconds / 1000;
      const dueMs = this.#startMs + afterMs;
      if (dueMs > nowMs) {
        nowMs = platformClock.now();
        waitMs = dueMs - nowMs;
        if (waitMs > 0) break;
      }
      const dueAt = this.#openLoop ? this.#startAt + afterMs * 1e6 : undefined;
      budgetBytes -= piece.bytes.length;
      if (++this.#index === this.#pieces.length) {
        this.#index = 0;
        this.#loop++;
      }
      this.#receiver?.received(piece.bytes, dueAt);
    }
    if (budgetBytes < readBytes) this.#receiver?.readEnd();
    if (this.#pausedAtMs !== undefined) return;
    if (this.#loop === this.#loops) {
      this.#end();
      return;
    }
    if (waitMs > 0 && this.#nap !== undefined) {
      Atomics.wait(this.#nap, 0, 0, Math.min(Math.max(waitMs, napMsMin), napMsMax));
    }
    this.#schedule(waitMs);
  };

  #end(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.ended({ status: 0 });
  }

  write(): boolean {
    return true;
  }

  pause(): void {
    this.#pausedAtMs ??= platformClock.now();
    clearTimeout(this.#timer as NodeJS.Timeout);
    clearImmediate(this.#timer as NodeJS.Immediate);
  }

  resume(): void {
    if (this.#pausedAtMs === undefined) return;
    // An open-loop schedule doesn't wait for a slow receiver; a recorded one keeps its gaps.
    if (!this.#immediately) this.#startMs += platformClock.now() - this.#pausedAtMs;
    this.#pausedAtMs = undefined;
    if (this.#receiver !== undefined) this.#schedule(0);
  }

  close(): Promise<void> {
    this.kill();
    return Promise.resolve();
  }

  kill(): void {
    if (this.#receiver === undefined) return;
    this.pause();
    this.#end();
  }
}
