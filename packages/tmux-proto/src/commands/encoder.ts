/**
 * Command lines for a version of tmux: anything a caller passes stays an argument, never becomes a command.
 *
 * Every method returns whole lines, each with its LF, to be written as UTF-8 to tmux's input in order. Every
 * line is one command, so it gets exactly one reply, except `sequence`.
 *
 * Input planner, from measurements on tmux 3.3a (the guide has the figures): text by `send-keys -l`; control
 * bytes by `send-keys -H`, at most 32 a command because its cost grows with their square; large text by
 * `set-buffer` and `paste-buffer`.
 */
import { checkInteger } from '../errors.ts';
import { CommandError } from './errors.ts';
import { type Argument, bytesOf, quoteOctal, quoteOld } from './quote.ts';
import { type Feature, since, supports } from './versions.ts';

/** Most arguments that tmux's parser takes in one command. */
export const ARGUMENTS_MAX: number = 9990;
/** Most bytes in one `send-keys -H`. */
export const HEX_BYTES_MAX: number = 32;
/** Most bytes in one `send-keys -l`. */
export const TEXT_BYTES_MAX: number = 4096;
/** Most bytes in one `set-buffer`. */
export const PASTE_BYTES_MAX: number = 16 * 1024;
const SIZE_MAX = 10_000;
const UINT_MAX = 0xffffffff;

/** Flags of the control client, for `refresh-client -f`. */
export interface ClientFlags {
  /** Pause a pane whose output has waited that long (seconds); `false` turns it off. */
  readonly pauseAfterSeconds?: number | false;
  /** Send no output at all. */
  readonly noOutput?: boolean;
  /** Wait for an empty line after `%exit`. */
  readonly waitExit?: boolean;
  /** Keep an active pane of its own. */
  readonly activePane?: boolean;
  /** Don't let this client's size count. */
  readonly ignoreSize?: boolean;
  /** Accept no keys. */
  readonly readOnly?: boolean;
}

/** How to paste. */
export interface PasteOptions {
  /** Lets tmux add the bracketed-paste codes if the program has asked for them. @defaultValue false */
  readonly bracketed?: boolean;
  /** Name of the buffer to use and delete. @defaultValue `'millrace'` */
  readonly buffer?: string;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** What `quoteOctal` leaves as it is: most of what is typed. */
const PLAIN = /^[ !#%&'()*+,\-./0-9:<=>?@A-Z[\]^_`a-z{|}]+$/;
const isControl = (byte: number): boolean => byte < 0x20 || byte === 0x7f;

/** Whether all of it is UTF-8. */
function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Returns where to cut `bytes` at or before `end`, so that no UTF-8 character is split. */
function characterEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end >= bytes.length) return bytes.length;
  let cut = end;
  while (cut > start && cut > end - 4 && (bytes[cut]! & 0xc0) === 0x80) cut--;
  return cut > start ? cut : end;
}

/**
 * Builds command lines for one version of tmux.
 *
 * Concurrency: stateless. Cost: O(n) in the bytes of the arguments.
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { CommandEncoder } from '@millrace/tmux-proto/commands';
 *
 * const encoder = new CommandEncoder('3.3a');
 * assert.equal(encoder.command('rename-window', 'a"; kill-server\n'),
 *   'rename-window "a\\042\\073 kill-server\\012"\n');
 * assert.deepEqual(encoder.sendInput(3, 'ls\r'), ['send-keys -t %3 -H 6c 73 0d\n']);
 * assert.equal(encoder.resize(120, 40), 'refresh-client -C 120x40\n');
 * ```
 */
export class CommandEncoder {
  /** The version that lines are built for. */
  readonly version: string;
  readonly #octal: boolean;

  /**
   * Creates an encoder.
   * @param version - as `tmux -V` or `#{version}` gives it. @defaultValue `'master'`: the newest
   */
  constructor(version: string = 'master') {
    this.version = version;
    this.#octal = supports(version, 'octal-quoting');
  }

  /**
   * Returns one argument in a form that tmux reads as exactly these bytes.
   * @param argument - text, bytes or number
   * @throws {CommandError} `ERR_TMUX_ENCODE` If it holds NUL, or what this version can't express.
   */
  quote(argument: Argument): string {
    return this.#octal ? quoteOctal(argument) : quoteOld(argument);
  }

  #words(words: readonly Argument[]): string {
    if (words.length === 0) {
      throw new CommandError('ERR_TMUX_ENCODE', 'a command needs a name: arguments.length=0');
    }
    if (words.length > ARGUMENTS_MAX) {
      throw new CommandError(
        'ERR_TMUX_ENCODE',
        `a command takes at most ${ARGUMENTS_MAX} arguments: arguments.length=${words.length}`,
      );
    }
    return words.map((word) => this.quote(word)).join(' ');
  }

  /**
   * Builds a line of one command.
   * @param words - the command's name and its arguments
   * @returns the line with its LF
   * @throws {CommandError} `ERR_TMUX_ENCODE` If there are none, too many, or one can't be quoted.
   */
  command(...words: Argument[]): string {
    return `${this.#words(words)}\n`;
  }

  /**
   * Builds a line of several commands: tmux runs them in one go, and gives one reply each up to the first
   * that fails.
   * @param commands - each a name and its arguments
   */
  sequence(...commands: readonly (readonly Argument[])[]): string {
    return `${commands.map((words) => this.#words(words)).join(' ; ')}\n`;
  }

  #need(feature: Feature): void {
    if (!supports(this.version, feature)) {
      throw new CommandError(
        'ERR_TMUX_UNSUPPORTED',
        `${feature} needs tmux ${since(feature)}: version=${this.version}`,
      );
    }
  }

  #hex(pane: number, bytes: Uint8Array, start: number, end: number): string {
    const modern = supports(this.version, 'send-keys-hex');
    let line = `send-keys -t %${pane}${modern ? ' -H' : ''}`;
    for (let index = start; index < end; index++) {
      line += modern ? ` ${HEX[bytes[index]!]}` : ` 0x${HEX[bytes[index]!]}`;
    }
    return `${line}\n`;
  }

  /**
   * Plans what a user typed: bytes reach the program exactly, whatever they are.
   * @param pane - number of the pane
   * @param input - text or bytes as a terminal sends them (Enter is `\r`)
   * @returns lines to send in order; none for no input
   */
  sendInput(pane: number, input: string | Uint8Array): string[] {
    checkInteger('pane', pane, 0, UINT_MAX);
    if (
      this.#octal &&
      typeof input === 'string' &&
      input.length <= TEXT_BYTES_MAX &&
      PLAIN.test(input)
    ) {
      return [`send-keys -t %${pane} -l -- "${input}"\n`];
    }
    const bytes = bytesOf(input);
    const lines: string[] = [];
    if (bytes.length <= HEX_BYTES_MAX && bytes.some(isControl) && !bytes.some((b) => b > 0x7f)) {
      return [this.#hex(pane, bytes, 0, bytes.length)];
    }
    const byteWise =
      supports(this.version, 'send-keys-hex') &&
      !supports(this.version, 'literal-bytes') &&
      !isText(bytes);
    for (let start = 0; start < bytes.length; ) {
      const control = byteWise || isControl(bytes[start]!);
      const most = control ? HEX_BYTES_MAX : TEXT_BYTES_MAX;
      let end = start + 1;
      while (
        end < bytes.length &&
        end - start < most &&
        (byteWise || isControl(bytes[end]!) === control)
      ) {
        end++;
      }
      if (control) {
        lines.push(this.#hex(pane, bytes, start, end));
      } else {
        if (end - start === most) end = characterEnd(bytes, start, end);
        lines.push(
          this.command('send-keys', '-t', `%${pane}`, '-l', '--', bytes.subarray(start, end)),
        );
      }
      start = end;
    }
    return lines;
  }

  /**
   * Builds `send-keys` of named keys, such as `Enter`, `C-c`, `M-Left`, `F5`.
   * @param pane - number of the pane
   * @param names - names that tmux knows; one it doesn't know is typed as text by tmux
   */
  sendKeys(pane: number, ...names: string[]): string {
    checkInteger('pane', pane, 0, UINT_MAX);
    return this.command('send-keys', '-t', `%${pane}`, '--', ...names);
  }

  /**
   * Plans a paste: many times faster than keys for anything large.
   * @param pane - number of the pane
   * @param input - text or bytes; NUL is sent as a key in between
   * @param options - bracketed or not, name of the buffer
   * @returns lines to send in order; none for no input
   * @throws {CommandError} `ERR_TMUX_ENCODE` If a bracketed paste holds NUL.
   */
  paste(pane: number, input: string | Uint8Array, options: PasteOptions = {}): string[] {
    checkInteger('pane', pane, 0, UINT_MAX);
    const bytes = bytesOf(input);
    const { bracketed = false, buffer = 'millrace' } = options;
    if (bytes.length === 0) return [];
    if (!supports(this.version, 'named-buffers')) return this.sendInput(pane, bytes);
    const target = `%${pane}`;
    const paste = bracketed ? ['-d', '-r', '-p'] : ['-d', '-r'];
    const lines: string[] = [];
    let filled = false;
    const flush = (): void => {
      if (!filled) return;
      lines.push(this.command('paste-buffer', ...paste, '-b', buffer, '-t', target));
      filled = false;
    };
    for (let start = 0; start < bytes.length; ) {
      if (bytes[start] === 0) {
        if (bracketed) {
          throw new CommandError('ERR_TMUX_ENCODE', `a bracketed paste holds NUL at byte ${start}`);
        }
        flush();
        lines.push(this.#hex(pane, bytes, start, start + 1));
        start++;
        continue;
      }
      const zero = bytes.indexOf(0, start);
      const last = zero < 0 ? bytes.length : zero;
      const end = Math.min(last, characterEnd(bytes, start, start + PASTE_BYTES_MAX));
      const append = filled ? ['-a'] : [];
      lines.push(
        this.command('set-buffer', ...append, '-b', buffer, '--', bytes.subarray(start, end)),
      );
      filled = true;
      if (!bracketed) flush(); // one buffer after the other; a bracketed paste must be one
      start = end;
    }
    flush();
    return lines;
  }

  /**
   * Builds the size of this client: what its windows are drawn for.
   * @param columns - 1 to 10,000
   * @param rows - 1 to 10,000
   */
  resize(columns: number, rows: number): string {
    checkInteger('columns', columns, 1, SIZE_MAX);
    checkInteger('rows', rows, 1, SIZE_MAX);
    const separator = supports(this.version, 'client-size-x') ? 'x' : ',';
    return `refresh-client -C ${columns}${separator}${rows}\n`;
  }

  /**
   * Builds the size of one window for this client (tmux 3.3).
   * @param window - number of the window
   * @param columns - 1 to 10,000
   * @param rows - 1 to 10,000
   * @throws {CommandError} `ERR_TMUX_UNSUPPORTED` before tmux 3.3.
   */
  resizeWindow(window: number, columns: number, rows: number): string {
    this.#need('window-size');
    checkInteger('window', window, 0, UINT_MAX);
    checkInteger('columns', columns, 1, SIZE_MAX);
    checkInteger('rows', rows, 1, SIZE_MAX);
    return `refresh-client -C @${window}:${columns}x${rows}\n`;
  }

  /**
   * Builds the client's flags (tmux 3.2).
   * @param flags - what to change; what is absent stays
   * @throws {CommandError} `ERR_TMUX_UNSUPPORTED` before tmux 3.2; `ERR_TMUX_ENCODE` If there are none.
   */
  setFlags(flags: ClientFlags): string {
    this.#need('client-flags');
    const { pauseAfterSeconds, noOutput, waitExit, activePane, ignoreSize, readOnly } = flags;
    const words: string[] = [];
    if (pauseAfterSeconds === false) words.push('!pause-after');
    else if (pauseAfterSeconds !== undefined) {
      checkInteger('pauseAfterSeconds', pauseAfterSeconds, 0, UINT_MAX);
      words.push(`pause-after=${pauseAfterSeconds}`);
    }
    const add = (name: string, on: boolean | undefined): void => {
      if (on !== undefined) words.push(on ? name : `!${name}`);
    };
    add('no-output', noOutput);
    add('wait-exit', waitExit);
    add('active-pane', activePane);
    add('ignore-size', ignoreSize);
    add('read-only', readOnly);
    if (words.length === 0) throw new CommandError('ERR_TMUX_ENCODE', 'flags is empty');
    return this.command('refresh-client', '-f', words.join(','));
  }

  /**
   * Builds flow control of a pane (tmux 3.2). Before 3.7 never send `on` or `off` while output may be queued:
   * it wedges the client, and on 3.3a the server (`supports(version, 'safe-pane-off')`).
   * @param pane - number of the pane
   * @param action - `pause` stops output until `continue`; `off` lets tmux drop it until `on`
   * @throws {CommandError} `ERR_TMUX_UNSUPPORTED` before tmux 3.2.
   */
  flow(pane: number, action: 'pause' | 'continue' | 'on' | 'off'): string {
    this.#need('flow-control');
    checkInteger('pane', pane, 0, UINT_MAX);
    return this.command('refresh-client', '-A', `%${pane}:${action}`);
  }

  /**
   * Builds a subscription: tmux sends `%subscription-changed` when the format's value changes (tmux 3.2).
   * @param name - without `:`
   * @param target - `''` for the session, `'%*'` all panes, `'%1'`, `'@*'`, `'@1'`
   * @param format - a tmux format, such as `#{pane_title}`
   * @throws {CommandError} `ERR_TMUX_UNSUPPORTED` before tmux 3.2; `ERR_TMUX_ENCODE` for a bad name.
   */
  subscribe(name: string, target: string, format: string): string {
    this.#need('subscriptions');
    if (name === '' || name.includes(':') || target.includes(':')) {
      throw new CommandError('ERR_TMUX_ENCODE', `name and target hold no ":": name=${name}`);
    }
    return this.command('refresh-client', '-B', `${name}:${target}:${format}`);
  }

  /**
   * Builds the end of a subscription (tmux 3.2).
   * @param name - as given to `subscribe`
   */
  unsubscribe(name: string): string {
    this.#need('subscriptions');
    return this.command('refresh-client', '-B', name);
  }
}

const newest = new CommandEncoder();

/**
 * Builds a line of one command for tmux 3.0 and later: {@link CommandEncoder.command}.
 * @param words - the command's name and its arguments; any bytes but NUL
 * @returns the line with its LF, ASCII
 * @throws {CommandError} `ERR_TMUX_ENCODE` If there are none, too many, or one holds NUL.
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeCommand } from '@millrace/tmux-proto/commands';
 *
 * assert.equal(encodeCommand('display-message', '-p', '#{pane_id}'),
 *   'display-message -p "#{pane_id}"\n');
 * ```
 */
export const encodeCommand = (...words: Argument[]): string => newest.command(...words);
