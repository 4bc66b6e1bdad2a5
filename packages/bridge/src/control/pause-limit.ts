/**
 * How far tmux may fall behind for us before it pauses a pane: less while an ordinary client is attached.
 *
 * With control clients alone tmux stops reading a pane that none of them takes, so little piles up. One ordinary client
 * anywhere on the server changes that: tmux reads on for it and keeps what we haven't taken, at the speed of the program,
 * until `pause-after` is over and it drops that. So the limit has to be short then.
 *
 * Another control client does the same unless it lags itself, which tmux doesn't tell. It is counted and told; the limit
 * stays: where both lag, tmux holds the program up for both, and a short limit would only lose what neither has to.
 */
import type { Model } from '../model/model.ts';
import type { Settings } from '../options.ts';

/** What the limit needs of its session. */
export interface PauseLimitHost {
  /** Sets the client's `pause-after`, if tmux has it and is there. */
  send(seconds: number): void;
  /** Learns that other clients came or went. */
  mixed(ordinaryClients: number, otherControlClients: number): void;
}

/** The `pause-after` of a session's client. */
export class PauseLimit {
  readonly #settings: Settings;
  readonly #host: PauseLimitHost;
  #ordinary = 0;
  #control = 0;

  constructor(settings: Settings, host: PauseLimitHost) {
    this.#settings = settings;
    this.#host = host;
  }

  /** Clients that don't speak control mode. */
  get ordinaryClients(): number {
    return this.#ordinary;
  }

  /** Clients of control mode besides this one. */
  get otherControlClients(): number {
    return this.#control;
  }

  /** What it is now (seconds). */
  get seconds(): number {
    const { pauseAfterSeconds, mixedPauseAfterSeconds } = this.#settings;
    return this.#ordinary > 0
      ? Math.min(pauseAfterSeconds, mixedPauseAfterSeconds)
      : pauseAfterSeconds;
  }

  /** Looks at the clients. */
  follow(model: Model): void {
    let ordinary = 0;
    let control = -1; // this one
    for (const client of model.clients.values()) {
      if (client.control) control++;
      else ordinary++;
    }
    control = Math.max(0, control);
    if (ordinary === this.#ordinary && control === this.#control) return;
    const before = this.seconds;
    this.#ordinary = ordinary;
    this.#control = control;
    if (this.seconds !== before) this.#host.send(this.seconds);
    this.#host.mixed(ordinary, control);
  }
}
