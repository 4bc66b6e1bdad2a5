/**
 * The parts of the exact resync, each of which the oracle can leave out to measure what it is worth: by changing the
 * sources as they are loaded, so that the product has no such switch.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

interface Change {
  /** File of `src/resync`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What leaves a part out. */
export const parts: Readonly<Record<string, Change>> = {
  /** Ask for the screen in one line of commands, not in one after the other. */
  oneLine: {
    file: 'resync.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a piece of source
    from: 'this.#host.ask(`${line}\\n`, commands.length, replied);',
    to: `void line;
    const all: (readonly string[])[] = [];
    const next = (): void => {
      this.#host.ask(encodeCommand(...commands[all.length]!), 1, (replies) => {
        all.push(replies?.[0] ?? []);
        if (all.length === commands.length) replied(all);
        else next();
      });
    };
    next();`,
  },
  /** Restore the sequence that the stream is inside of. */
  pending: { file: 'paint.ts', from: 'replayable(screen.pending)', to: 'new Uint8Array(0)' },
  /** Restore the character that the stream is inside of. */
  cut: { file: 'paint.ts', from: ', tracker.cut]', to: ']' },
  /** Restore the colours of the next character. */
  pen: { file: 'paint.ts', from: 'tracker.pen.sgr()', to: "'\\x1b[0m'" },
  /** Restore the backgrounds of cells that capture-pane leaves out. */
  backgrounds: { file: 'paint.ts', from: 'of backgrounds?.rows[y] ?? []', to: 'of []' },
  /** Put what is right of half a character into its columns. */
  halves: { file: 'screen.ts', from: 'halves: shown.halves, moved', to: 'moved' },
  /** Search the seam where output of other panes may have let output of this one overtake the reply. */
  search: {
    file: 'seam.ts',
    from: 'const inOrder = !this.#overtaken;',
    to: 'const inOrder = true;',
  },
  /** Let a viewer that lags all the time cost at most ten snapshots a second. */
  paced: { file: 'resync.ts', from: "cause === 'skip'", to: 'false' },
};

const sources = new URL('../../src/resync/', import.meta.url);

/** Leaves parts out of what is loaded from now on; throws if a source isn't what the change was made for. */
export function leaveOut(names: readonly string[]): void {
  const changes = names.map((name) => {
    const change = parts[name];
    if (change === undefined) throw new Error(`no such part: ${name}`);
    const { href } = new URL(change.file, sources);
    if (readFileSync(new URL(href), 'utf8').split(change.from).length !== 2) {
      throw new Error(`${change.file} has changed: ${change.from}`);
    }
    return { ...change, href };
  });
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = changes.filter(({ href }) => url.split('?')[0] === href);
      if (own.length === 0) return loaded;
      let source = String(Buffer.from(loaded.source as Uint8Array));
      for (const { from, to } of own) source = source.replace(from, () => to);
      return { ...loaded, source };
    },
  });
}
