/** A pane of a session: who watches it, and what has come out of it. */
import type { CommandEncoder } from '@millrace/tmux-proto/commands';
import {
  encodeMouse,
  type MouseInput,
  type MouseMode,
  mouseFormat,
  readMouseMode,
} from './control/mouse.ts';
import type { Pipe } from './deliver/pipe.ts';
import type { PipeOptions } from './deliver/pipe-options.ts';
import { checkArgument, checkObject } from './errors.ts';
import type { PaneInfo } from './model/entities.ts';
import type { Sink } from './sinks/sink.ts';

/** What a pane needs of its session. */
export interface PaneHost {
  pipe(pane: Pane, sink: Sink, options: PipeOptions): Pipe;
  run(plan: (encoder: CommandEncoder) => string | string[]): Promise<void>;
  /** Expands a format for a pane; its first line. */
  expand(pane: number, format: string): Promise<string>;
  /** What the model knows of it. */
  info(pane: number): PaneInfo | undefined;
  /** A paste buffer's name that no other session uses. */
  readonly bufferName: string;
}

const nothing: PaneInfo = {};

function checkInput(input: string | Uint8Array): void {
  const holds = typeof input === 'string' || input instanceof Uint8Array;
  checkArgument(holds, 'input', 'text or a Uint8Array', input);
}

/** A pane of the attached session. */
export class Pane {
  /** Number of the pane (the `1` of `%1`). */
  readonly id: number;
  readonly #host: PaneHost;
  #pipes: readonly Pipe[] = [];
  /** The program's mouse mode, as of so many records and in that mode of tmux's. */
  #mouse:
    | {
        readonly records: number;
        readonly mode: string | undefined;
        readonly asked: Promise<MouseMode>;
      }
    | undefined;
  /** Bytes that its program wrote while nobody watched; they went to no sink. */
  unwatchedBytes = 0;
  /** Bytes that its program has written. */
  bytes = 0;
  /** Records of tmux that they came in. */
  records = 0;

  /**
   * How old its output is when tmux sends it (ms, in steps of 250): at `pauseAfterSeconds` tmux drops it. 0 before tmux
   * 3.2.
   */
  ageMs = 0;
  /**
   * Whether its `lag` was told.
   * @internal
   */
  lagging = false;

  /** @internal */
  constructor(id: number, host: PaneHost) {
    this.id = id;
    this.#host = host;
  }

  /** What is known of it: its window, place, title, mode; empty if nothing is. A new object when something changes. */
  get info(): PaneInfo {
    return this.#host.info(this.id) ?? nothing;
  }

  /** The pipes that carry it now. */
  get pipes(): readonly Pipe[] {
    return this.#pipes;
  }

  /**
   * Sends the pane's bytes, from the next one on, to a sink: in order, and by default without loss.
   *
   * A sink that lags holds up its session once its pipe is full; with `policy: 'latest'` it skips instead, begins
   * with the screen as it is, and gets the screen again when it has caught up. Any number of sinks may watch a pane.
   *
   * @param sink - where to; it belongs to the pipe from now on
   * @param options - policy and limits of the pipe
   * @throws {BridgeError} `ERR_SESSION_CLOSED`, or `ERR_BRIDGE_ARGUMENT` for limits out of range
   */
  pipe(sink: Sink, options: PipeOptions = {}): Pipe {
    return this.#host.pipe(this, sink, options);
  }

  /**
   * Types into the pane, as a terminal would send it (Enter is `\r`): the program gets exactly these bytes. In copy mode
   * (`info.mode` isn't empty) tmux takes them for itself; see `leaveMode`.
   *
   * @param input - text, or bytes of any value
   * @returns resolves when tmux has handed them to the program's terminal
   * @throws {BridgeError} (rejects) `ERR_TMUX_COMMAND` if the pane is gone, `ERR_SESSION_CLOSED`
   */
  async type(input: string | Uint8Array): Promise<void> {
    checkInput(input);
    return this.#host.run((encoder) => encoder.sendInput(this.id, input));
  }

  /**
   * Presses named keys, such as `Enter`, `C-c`, `M-Left`, `F5`: tmux sends what the program's keyboard mode asks for.
   *
   * @param names - names that tmux knows
   * @throws {BridgeError} (rejects) as `type` does
   */
  async press(...names: string[]): Promise<void> {
    for (const name of names) {
      checkArgument(typeof name === 'string' && name !== '', 'names', 'names of keys', name);
    }
    return this.#host.run((encoder) => encoder.sendKeys(this.id, ...names));
  }

  /**
   * Pastes into the pane: for anything longer than a few hundred bytes many times faster than typing.
   *
   * @param input - text or bytes; no NUL if bracketed
   * @param options.bracketed - lets tmux add the bracketed-paste codes if the program has asked for them.
   *   @defaultValue true
   * @throws {BridgeError} (rejects) as `type` does
   */
  async paste(
    input: string | Uint8Array,
    options: { readonly bracketed?: boolean } = {},
  ): Promise<void> {
    checkInput(input);
    checkObject('options', options);
    const { bracketed = true } = options;
    const buffer = this.#host.bufferName;
    return this.#host.run((encoder) => encoder.paste(this.id, input, { bracketed, buffer }));
  }

  /**
   * Passes on what the user did with the mouse, if the program asked for it, in the form that it asked for.
   *
   * tmux is asked for the program's mouse mode, and again only when the pane has written since.
   *
   * @param input - what happened, in cells of the pane
   * @returns whether the program was told: false if it didn't ask for that, or while the pane is in copy mode
   * @throws {BridgeError} (rejects) `ERR_BRIDGE_ARGUMENT` for an event that doesn't exist, and as `type` does
   */
  async mouse(input: MouseInput): Promise<boolean> {
    checkObject('input', input);
    if (this.#mouse?.records !== this.records || this.#mouse.mode !== this.info.mode) {
      const asked = this.#host.expand(this.id, mouseFormat).then(readMouseMode);
      this.#mouse = { records: this.records, mode: this.info.mode, asked };
      asked.catch(() => {
        this.#mouse = undefined;
      });
    }
    const bytes = encodeMouse(input, await this.#mouse.asked);
    if (bytes === undefined) return false;
    await this.type(bytes);
    return true;
  }

  /**
   * Leaves copy mode or whatever mode tmux has the pane in (`info.mode`): keys go to the program again.
   *
   * @throws {BridgeError} (rejects) as `type` does; not if it is in no mode
   */
  async leaveMode(): Promise<void> {
    if ((await this.#host.expand(this.id, '#{pane_in_mode}')) !== '1') return;
    await this.#host.run((encoder) =>
      encoder.command('send-keys', '-t', `%${this.id}`, '-X', 'cancel'),
    );
  }

  /** @internal */
  add(pipe: Pipe): void {
    this.#pipes = [...this.#pipes, pipe];
  }

  /** @internal */
  remove(pipe: Pipe): void {
    this.#pipes = this.#pipes.filter((other) => other !== pipe);
  }
}
