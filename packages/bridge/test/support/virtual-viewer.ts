/** Panes without a tmux, links and time that a test moves: for tests of viewers. */
import { vi } from 'vitest';
import { Pipe } from '../../src/deliver/pipe.ts';
import type { PipeHost, PipeOptions } from '../../src/deliver/pipe-options.ts';
import { ByteBudget } from '../../src/flow/budget.ts';
import { Stations } from '../../src/measure/stations.ts';
import type { Pane } from '../../src/pane.ts';
import type { Sink } from '../../src/sinks/sink.ts';

/** Begins virtual time; `performance.now` counts it from 0. */
export function virtualTime(): void {
  vi.useFakeTimers({
    now: 0,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  });
}

/** A session as pipes see it: counts who holds it up, and answers requests for snapshots. */
export class FakeSession {
  pressed = new Set<Pipe>();
  pipes = new Set<Pipe>();
  snapshots = 0;
  /** What a snapshot would be. */
  state: 'exact' | 'inexact' | 'never' = 'exact';
  /** Delay of a snapshot (ms). */
  snapshotMs = 2;
  readonly host: PipeHost;

  /** @param snapshotOf - returns the screen of a pane */
  constructor(snapshotOf: (pane: number) => Uint8Array, pendingBytesMax = 1 << 30) {
    this.host = {
      clock: { now: () => performance.now() * 1e6, epoch: 0n },
      stations: new Stations(false).recorder(1),
      budget: new ByteBudget(pendingBytesMax),
      pressure: (pipe, pressed) => {
        if (pressed) this.pressed.add(pipe);
        else this.pressed.delete(pipe);
      },
      snapshot: () => this.state,
      resync: (pipe) => {
        setTimeout(() => {
          this.snapshots++;
          pipe.restore(snapshotOf(pipe.pane));
        }, this.snapshotMs);
      },
      ended: (pipe) => {
        this.pipes.delete(pipe);
      },
    };
  }

  /** A pane of this session. */
  pane(id: number): Pane {
    const pipe = (sink: Sink, options: PipeOptions): Pipe => {
      const made = new Pipe(id, sink, this.host, options);
      this.pipes.add(made);
      return made;
    };
    return { id, pipe } as unknown as Pane;
  }
}

/** A link that drains so many bytes a millisecond, first in, first out, after a delay. */
export class VirtualLink {
  bytesPerMs: number;
  readonly #delayMs: number;
  #freeAt = 0;
  queued = 0;
  carried = 0;

  constructor(bytesPerMs: number, delayMs = 0) {
    this.bytesPerMs = bytesPerMs;
    this.#delayMs = delayMs;
  }

  /** Resolves when the bytes have been drained. */
  write(bytes: number): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.bytesPerMs;
    this.queued += bytes;
    return new Promise((resolve) => {
      setTimeout(
        () => {
          this.queued -= bytes;
          this.carried += bytes;
          resolve();
        },
        this.#freeAt - now + this.#delayMs,
      );
    });
  }
}

/** A link that passes on what its rate allows in turns of so many ms, as a timer or the frames of a screen do. */
export class GulpingLink {
  readonly #bytesPerMs: number;
  readonly #waiting: { bytes: number; readonly passed: () => void }[] = [];
  #turnAt: number = performance.now();
  carried = 0;

  constructor(bytesPerMs: number, turnMs: number) {
    this.#bytesPerMs = bytesPerMs;
    setInterval(() => this.#turn(), turnMs);
  }

  /** Resolves when the bytes have passed. */
  write(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({
        bytes,
        passed: () => {
          this.carried += bytes;
          resolve();
        },
      });
    });
  }

  #turn(): void {
    const now = performance.now();
    let credit = (now - this.#turnAt) * this.#bytesPerMs;
    this.#turnAt = now;
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const passing = Math.min(credit, first.bytes);
      first.bytes -= passing;
      credit -= passing;
      if (first.bytes > 0) return;
      this.#waiting.shift();
      first.passed();
    }
  }
}
