/**
 * The user's own terminal while a session is mirrored on it: the alternate screen, raw keys, its size, and everything
 * put back as it was, whichever way the process ends.
 */
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { BridgeError } from '../../errors.ts';

const enter = '\x1b[?1049h\x1b[?25l\x1b[2J';
const leave = '\x1b[?2026l\x1b[0m\x1b[?1l\x1b>\x1b[?2004l\x1b[?25h\x1b[?1049l';

/** What a terminal tells. */
export interface TerminalHandlers {
  /** Takes what was typed. */
  typed(bytes: Uint8Array): void;
  /** Learns that the terminal has another size. */
  resized(): void;
  /** Learns that the terminal takes bytes again. */
  drained(): void;
}

/**
 * Throws `ERR_BRIDGE_ARGUMENT` if standard input or output is no terminal.
 */
export function checkTerminal(): void {
  for (const [name, stream] of [
    ['standard input', process.stdin],
    ['standard output', process.stdout],
  ] as const) {
    if (stream.isTTY !== true) {
      throw new BridgeError('ERR_BRIDGE_ARGUMENT', `attach needs a terminal: ${name} is none`);
    }
  }
}

/** A terminal in raw mode on its alternate screen. */
export class UserTerminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream & { readonly fd: number };
  readonly #handlers: TerminalHandlers;
  readonly #typed = (bytes: Uint8Array): void => this.#handlers.typed(bytes);
  readonly #resized = (): void => this.#handlers.resized();
  readonly #drained = (): void => this.#handlers.drained();
  readonly #exit = (): void => this.#leaveAtOnce();
  #open = false;

  constructor(
    input: ReadStream,
    output: WriteStream & { readonly fd: number },
    handlers: TerminalHandlers,
  ) {
    this.#input = input;
    this.#output = output;
    this.#handlers = handlers;
  }

  /** Columns of the terminal; one that doesn't know its size is taken for an ordinary one. */
  get columns(): number {
    return this.#output.columns || 80;
  }

  /** Rows of the terminal. */
  get rows(): number {
    return this.#output.rows || 24;
  }

  /** Takes the terminal over. */
  open(): void {
    this.#open = true;
    process.on('exit', this.#exit);
    this.#input.setRawMode(true);
    this.#input.on('data', this.#typed).resume();
    this.#output.on('resize', this.#resized).on('drain', this.#drained);
    this.#output.write(enter);
  }

  /** Writes; false says that the terminal lags, and that `drained` will be called. */
  write(text: string): boolean {
    return this.#output.write(text);
  }

  /** Gives the terminal back; resolves when it has taken everything. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.#exit);
    this.#input.off('data', this.#typed).pause();
    this.#input.setRawMode(false);
    this.#output.off('resize', this.#resized).off('drain', this.#drained);
    await new Promise<void>((resolve) => this.#output.write(leave, () => resolve()));
  }

  #leaveAtOnce(): void {
    try {
      this.#input.setRawMode(false);
      writeSync(this.#output.fd, leave);
    } catch {
      // The terminal is gone.
    }
  }
}
