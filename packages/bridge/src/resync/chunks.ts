/** Output that is kept for a while: copies of its pieces, up to a limit, beyond which the newest are lost. */
export class Chunks {
  readonly #bytesMax: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that came, kept or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether not all could be kept. */
  get lost(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  /** Keeps a copy. */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes += end - start;
    if (!this.lost) this.#pieces.push(bytes.slice(start, end));
  }

  /** Returns what was kept, in one piece. */
  joined(): Uint8Array {
    return this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
