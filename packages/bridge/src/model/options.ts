/**
 * Options of tmux, read once and then followed.
 *
 * An option is read as a format of the attached session, so the value is the one that holds there, wherever it was
 * set; a switch reads as `1` or `0`. tmux 3.2 and later tell within a second when it changes; before, `refresh` reads again.
 */
import { checkArgument } from '../errors.ts';

/** What the options need of their session. */
export interface OptionsHost {
  /** Expands a format. */
  expand(format: string): Promise<string>;
  /** Has `changed` called when the value of a format may have changed; returns how to end that. */
  subscribe(format: string, changed: () => void): Promise<() => void>;
  changed(name: string, value: string, before: string | undefined): void;
}

const namePattern = /^@?[A-Za-z0-9][\w-]*(\[\d{1,9}\])?$/;

interface Watched {
  value: string | undefined;
  end: (() => void) | undefined;
  /** The first reading. */
  readonly ready: Promise<string>;
}

/** tmux's options that are watched. */
export class SessionOptions {
  readonly #host: OptionsHost;
  readonly #watched = new Map<string, Watched>();

  /** @internal */
  constructor(host: OptionsHost) {
    this.#host = host;
  }

  /** Returns the value of a watched option; undefined if it isn't watched. */
  get(name: string): string | undefined {
    return this.#watched.get(name)?.value;
  }

  /** Names of the watched options. */
  get names(): string[] {
    return [...this.#watched.keys()];
  }

  /**
   * Reads options and follows them from now on: `session.on('option', …)` tells changes.
   *
   * @param names - such as `mouse`, `status`, `mode-keys`, `@my-option`; one that tmux doesn't know is empty
   * @returns their values, in the order of the names, as tmux formats show them: a switch is `1` or `0`
   * @throws {BridgeError} (rejects) `ERR_BRIDGE_ARGUMENT` for what is no option's name, and as `session.command` does
   */
  async watch(...names: string[]): Promise<string[]> {
    for (const name of names) {
      const holds = typeof name === 'string' && namePattern.test(name);
      checkArgument(holds, 'name', "an option's name", name);
    }
    return await Promise.all(names.map((name) => this.#watch(name)));
  }

  #watch(name: string): Promise<string> {
    const known = this.#watched.get(name);
    if (known !== undefined) return known.ready;
    const again = (): void => {
      this.#read(name).catch(() => {}); // the session has ended
    };
    const watched: Watched = {
      value: undefined,
      end: undefined,
      ready: this.#host.subscribe(`#{${name}}`, again).then((end) => {
        if (this.#watched.get(name) === watched) watched.end = end;
        else end();
        return this.#read(name);
      }),
    };
    this.#watched.set(name, watched);
    watched.ready.catch(() => this.#watched.delete(name));
    return watched.ready;
  }

  /** Follows an option no longer. */
  unwatch(name: string): void {
    this.#watched.get(name)?.end?.();
    this.#watched.delete(name);
  }

  /** Reads all watched options again: needed before tmux 3.2, or to have a change at once. */
  async refresh(): Promise<void> {
    await Promise.all(this.names.map((name) => this.#read(name)));
  }

  async #read(name: string): Promise<string> {
    const watched = this.#watched.get(name);
    const value = await this.#host.expand(`#{${name}}`);
    if (watched === undefined || watched !== this.#watched.get(name)) return value;
    const before = watched.value;
    watched.value = value;
    if (before !== undefined && before !== value) this.#host.changed(name, value, before);
    return value;
  }
}
