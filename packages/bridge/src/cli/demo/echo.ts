/** Types keys into a pane and measures how long each takes to come out of the sink again. */
import { Histogram } from '@millrace/histogram';
import type { Clock } from '../../measure/clock.ts';
import { type StationStats, statsOf } from '../../measure/stations.ts';
import type { Session } from '../../session.ts';
import type { Sink } from '../../sinks/sink.ts';

const keyIntervalMs = 50;
const carryBytesMax = 64;

/** A sink for the echoing pane, and the typist. */
export class EchoMeter implements Sink {
  readonly #clock: Clock;
  readonly #latency: Histogram = new Histogram({ highest: 3_600_000_000_000, digits: 2 });
  readonly #sent = new Map<number, number>();
  #carry = '';
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Types a key such as `K17#` into the pane, again and again, until `stop`. */
  start(session: Session, pane: number): void {
    this.#timer = setInterval(() => {
      const key = this.#next++;
      this.#sent.set(key, this.#clock.now());
      session.command('send-keys', '-t', `%${pane}`, '-l', `K${key}#`).catch(() => {});
    }, keyIntervalMs);
  }

  /** Stops typing. */
  stop(): void {
    clearInterval(this.#timer);
  }

  write(bytes: Uint8Array): undefined {
    const text =
      this.#carry + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const now = this.#clock.now();
    let end = 0;
    for (const match of text.matchAll(/K(\d+)#/g)) {
      const sentAt = this.#sent.get(Number(match[1]));
      if (sentAt !== undefined) this.#latency.record(now - sentAt);
      this.#sent.delete(Number(match[1]));
      end = match.index + match[0].length;
    }
    this.#carry = text.slice(end).slice(-carryBytesMax);
  }

  /** From key to echo, so far (nanoseconds); `count` is the keys that came back. */
  get stats(): StationStats {
    return statsOf(this.#latency);
  }

  /** Keys that haven't come back yet. */
  get missing(): number {
    return this.#sent.size;
  }
}
