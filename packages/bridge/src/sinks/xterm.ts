/**
 * Feeds an xterm.js terminal, in the browser (`@xterm/xterm`) or without a screen (`@xterm/headless`).
 *
 * xterm.js 6.0.0 loses a character when a write ends inside it (`61 E2 80` then `94 62` shows `ab`, the dash is
 * gone), and tmux cuts by bytes. This sink therefore carries an incomplete UTF-8 sequence, at most 3 bytes,
 * over to the next write.
 */
import { checkMethods } from '../errors.ts';
import type { Sink } from './sink.ts';

/** The part of an xterm.js terminal that the sink uses. */
export interface XtermTerminal {
  /** Takes bytes and calls back when they are in the terminal's buffer. */
  write(data: Uint8Array, callback?: () => void): void;
  /** Gives it another size; without it, the terminal keeps its own, whatever the pane's is. */
  resize?(columns: number, rows: number): void;
}

/** Returns how many bytes at the end of `bytes` begin a UTF-8 sequence that isn't complete (0 to 3). */
function incompleteTail(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? back : 0;
    }
  }
  return 0;
}

/**
 * Creates a sink that writes to `terminal`, acknowledges when the terminal has drawn into its buffer, and keeps it at the
 * pane's size.
 *
 * @param terminal - an xterm.js terminal, headless or not
 */
export function xtermSink(terminal: XtermTerminal): Sink {
  checkMethods('terminal', terminal, 'write');
  let carry: Uint8Array = new Uint8Array(0);
  return {
    write(bytes) {
      let data = bytes;
      if (carry.length > 0) {
        data = new Uint8Array(carry.length + bytes.length);
        data.set(carry);
        data.set(bytes, carry.length);
      }
      const tail = incompleteTail(data);
      carry = tail === 0 ? carry.subarray(0, 0) : data.slice(data.length - tail);
      if (data.length === tail) return undefined;
      return new Promise<void>((resolve) => {
        terminal.write(tail === 0 ? data : data.subarray(0, data.length - tail), resolve);
      });
    },
    resize(columns, rows) {
      terminal.resize?.(columns, rows);
    },
    close() {
      if (carry.length > 0) terminal.write(carry);
    },
  };
}
