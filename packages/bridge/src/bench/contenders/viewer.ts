/** What stands at the end of every contender: a viewer behind its link, which sees the echo when it has got it. */
import type { Link } from '../link.ts';
import type { Typist } from '../typist.ts';

/** Which of the two panes, or one screen with both. */
export type PaneRole = 'flood' | 'echo' | 'both';

/** A viewer of both panes. */
export class Viewer {
  readonly #link: Link;
  readonly #typist: Typist;
  /** Bytes of the flooding pane that it has got. */
  floodBytes = 0;

  constructor(link: Link, typist: Typist) {
    this.#link = link;
    this.#typist = typist;
  }

  /** Whether it accepts everything at once. */
  get immediate(): boolean {
    return this.#link.immediate;
  }

  /** Bytes on its link. */
  get queuedBytes(): number {
    return this.#link.queuedBytes;
  }

  /** Gets every key that has been typed, by no way at all. */
  seeTyped(): void {
    this.#typist.seeTyped();
  }

  /** Sends bytes to it, which stay as they are until `passed` is called. */
  deliver(role: PaneRole, bytes: Uint8Array, passed?: () => void): void {
    this.#link.write(bytes.length, () => {
      if (role !== 'flood') this.#typist.see(bytes);
      if (role !== 'echo') this.floodBytes += bytes.length;
      passed?.();
    });
  }
}

/** A contender at work. */
export interface Contender {
  /** Types into the echoing pane. */
  type(text: string): void;
  /** Bytes read and not yet at the viewer. */
  queuedBytes(): number;
  /** Snapshots of a screen sent so far, where there are any. */
  snapshots?(): number;
  /** Ends what it started. */
  stop(): Promise<void>;
}
