/** A line about what is going on, for work that takes long: rewritten on a terminal, printed once per step elsewhere. */
import type { Output } from './demo/view.ts';

/** A line of progress. */
export class Status {
  readonly #output: Output;
  #drawn = false;

  /** @param output - where it goes: standard error, so that the figures can be piped elsewhere */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Says which step begins. */
  begin(line: string): void {
    if (this.#output.isTTY === true) this.#draw(line);
    else this.#output.write(`${line}\n`);
  }

  /** Says how it goes, on a terminal. */
  update(line: string): void {
    if (this.#output.isTTY === true) this.#draw(line);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#drawn) this.#output.write('\r\x1b[K');
    this.#drawn = false;
  }

  #draw(line: string): void {
    this.#output.write(`\r\x1b[K${line.slice(0, Math.max(1, (this.#output.columns || 80) - 1))}`);
    this.#drawn = true;
  }
}
