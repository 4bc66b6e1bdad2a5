/** Types keys into a pane and measures how long each takes to come out of the sink again. */
import { Typist } from '../../bench/typist.ts';
import type { Clock } from '../../measure/clock.ts';
import { type StationStats, statsOf } from '../../measure/stations.ts';
import type { Session } from '../../session.ts';
import type { Sink } from '../../sinks/sink.ts';

const keyIntervalMs = 50;

/** A sink for the echoing pane, and the typist. */
export class EchoMeter implements Sink {
  readonly #typist: Typist;

  constructor(clock: Clock) {
    this.#typist = new Typist(0, () => clock.now());
  }

  /** Types a key into the pane, again and again, until `stop`. */
  start(session: Session, pane: number): void {
    const target = `%${pane}`;
    this.#typist.start((text) => {
      session.command('send-keys', '-t', target, '-l', text).catch(() => {});
    }, keyIntervalMs);
  }

  /** Stops typing. */
  stop(): void {
    this.#typist.stop();
  }

  write(bytes: Uint8Array): undefined {
    this.#typist.see(bytes);
  }

  /** From key to echo, so far (nanoseconds); `count` is the keys that came back. */
  get stats(): StationStats {
    return statsOf(this.#typist.latency);
  }
}
