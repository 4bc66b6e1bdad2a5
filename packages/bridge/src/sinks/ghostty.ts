/**
 * Feeds Ghostty's virtual terminal (the `ghostty-web` package): in Node its wasm alone, in a page with its canvas.
 *
 * What ghostty-web 0.4.0 needs from its caller, and this sink gives: never an empty write (it traps out of bounds),
 * and an acknowledgement that doesn't wait for a frame, because a hidden tab draws none. The terminal's own state is up
 * to date when its `write` returns, so bytes count as accepted then. Cut characters are its parser's business and come
 * through.
 */
import { checkMethods } from '../errors.ts';
import type { Sink } from './sink.ts';

/** The part of a ghostty-web terminal that the sink uses: `GhosttyTerminal` (wasm) or `Terminal` (page). */
export interface GhosttyWritable {
  /** Takes bytes; they are in the terminal's state when it returns. */
  write(data: Uint8Array): void;
  /** Gives it another size; without it, the terminal keeps its own, whatever the pane's is. */
  resize?(columns: number, rows: number): void;
}

/**
 * Creates a sink that writes to a ghostty-web terminal and keeps it at the pane's size.
 *
 * @param terminal - the terminal; it stays the caller's to free
 */
export function ghosttySink(terminal: GhosttyWritable): Sink {
  checkMethods('terminal', terminal, 'write');
  return {
    write(bytes) {
      if (bytes.length > 0) terminal.write(bytes);
      return undefined;
    },
    resize(columns, rows) {
      terminal.resize?.(columns, rows);
    },
  };
}

/**
 * Loads Ghostty's terminal in Node: instantiates the package's wasm itself, since its own loader expects a page.
 *
 * @returns ghostty-web's `Ghostty`; `createTerminal(columns, rows)` makes terminals, each of which needs `free()`
 * @throws If the optional peer `ghostty-web` isn't installed.
 */
export async function loadGhostty(): Promise<import('ghostty-web').Ghostty> {
  const { Ghostty } = await import('ghostty-web');
  // Here, so that pages can load this file for the sink alone.
  const { createRequire } = await import('node:module');
  const { readFile } = await import('node:fs/promises');
  const path = createRequire(import.meta.url).resolve('ghostty-web/ghostty-vt.wasm');
  const { instance } = await WebAssembly.instantiate(await readFile(path), {
    env: { log: () => {} },
  });
  return new Ghostty(instance);
}
