/**
 * The current window of a session as a frame: which panes it has, where, and what stands below them.
 *
 * A pane whose size changes keeps its terminal, which its pipe resizes; as tmux and xterm.js rewrap differently, the pipe
 * then brings the screen as tmux has it.
 */
import type { Session } from '../../session.ts';
import { drawBorders, Frame } from './frame.ts';
import { PaneScreen } from './pane-screen.ts';

const borderStyle = '\x1b[2m';
const statusStyle = '\x1b[7m';

/** Figures of all panes shown so far. */
export interface MirrorTotals {
  /** Times that a pane's screen was restored because the terminal couldn't follow. */
  skips: number;
  /** Snapshots of screens. */
  resyncs: number;
  /** Bytes that snapshots replaced. */
  bytesSkipped: number;
}

/** Panes of the current window. */
export class Mirror {
  readonly #session: Session;
  readonly #changed: (pane: number) => void;
  readonly #screens = new Map<number, PaneScreen>();
  readonly #ended: MirrorTotals = { skips: 0, resyncs: 0, bytesSkipped: 0 };

  /**
   * @param changed - called when a pane may look different
   */
  constructor(session: Session, changed: (pane: number) => void) {
    this.#session = session;
    this.#changed = changed;
  }

  /** The focused pane's screen, if it is shown. */
  get focused(): PaneScreen | undefined {
    const { focusedPane } = this.#session;
    return focusedPane === undefined ? undefined : this.#screens.get(focusedPane.id);
  }

  /** Figures of all panes shown so far. */
  get totals(): MirrorTotals {
    const totals = { ...this.#ended };
    for (const { pipe } of this.#screens.values()) add(totals, pipe.stats);
    return totals;
  }

  /** Opens screens for the panes that the current window shows now, and closes the others. */
  follow(): void {
    const { panes, model } = this.#session;
    const shown = new Set(this.#shownPanes());
    for (const [id, screen] of this.#screens) {
      if (!shown.has(id)) this.#close(id, screen);
    }
    for (const id of shown) {
      const pane = panes.get(id);
      const { columns, rows } = model.panes.get(id) ?? {};
      if (this.#screens.has(id) || pane === undefined || !columns || !rows) continue;
      this.#screens.set(id, new PaneScreen(pane, columns, rows, () => this.#changed(id)));
    }
  }

  /** Numbers of the panes that the current window shows: of a zoomed one, the pane that fills it. */
  #shownPanes(): readonly number[] {
    const { model } = this.#session;
    const current = model.currentWindow();
    const window = current === undefined ? undefined : model.windows.get(current);
    if (window === undefined) return [];
    return window.zoomed && window.activePane !== undefined ? [window.activePane] : window.panes;
  }

  #close(id: number, screen: PaneScreen): void {
    this.#screens.delete(id);
    add(this.#ended, screen.pipe.stats);
    screen.close().catch(() => {});
  }

  /**
   * Draws everything.
   *
   * @param notice - text at the right end of the status line
   * @returns the frame, and what sets the terminal's cursor and modes
   */
  draw(columns: number, rows: number, notice: string): { frame: Frame; state: string } {
    const frame = new Frame(columns, rows);
    const { model } = this.#session;
    const areas = [...this.#screens].map(([id, screen]) => {
      const { x = 0, y = 0 } = model.panes.get(id) ?? {};
      return { screen, x, y, columns: screen.columns, rows: screen.rows };
    });
    const current = model.currentWindow();
    const window = current === undefined ? undefined : model.windows.get(current);
    const inside = {
      columns: Math.min(columns, window?.columns ?? 0),
      rows: Math.min(rows - 1, window?.rows ?? 0),
    };
    drawBorders(frame, inside, areas, borderStyle);
    for (const { screen, x, y } of areas) screen.draw(frame, x, y);
    this.#drawStatus(frame, notice);
    const { focused } = this;
    const area = areas.find(({ screen }) => screen === focused);
    if (focused === undefined || area === undefined) return { frame, state: '\x1b[?25l' };
    const column = area.x + focused.cursorColumn;
    const row = area.y + focused.cursorRow;
    const isInside = focused.cursorVisible && column < columns && row < rows - 1;
    const cursor = isInside ? `\x1b[${row + 1};${column + 1}H\x1b[?25h` : '\x1b[?25l';
    return { frame, state: focused.inputModes + cursor };
  }

  #drawStatus(frame: Frame, notice: string): void {
    const { model } = this.#session;
    const { attached } = model;
    const row = frame.rows - 1;
    const name = attached === undefined ? '' : (model.sessions.get(attached)?.name ?? '');
    const windows = model.windowsOf().map((id) => {
      const window = model.windows.get(id)!;
      const link = window.links.find(({ session }) => session === attached);
      return `${link?.index ?? ''}:${window.name ?? ''}${link?.flags ?? ''}`;
    });
    const mode = this.focused?.pane.info.mode ?? '';
    const left = `[${name}] ${windows.join(' ')}${mode === '' ? '' : `  (${mode})`}`;
    frame.write(0, row, printable(left).padEnd(frame.columns), statusStyle);
    const right = ` ${notice} `;
    frame.write(Math.max(0, frame.columns - right.length), row, right, statusStyle);
  }

  /** Ends all screens. */
  async close(): Promise<void> {
    const screens = [...this.#screens.values()];
    for (const { pipe } of screens) add(this.#ended, pipe.stats);
    this.#screens.clear();
    await Promise.allSettled(screens.map((screen) => screen.close()));
  }
}

function add(totals: MirrorTotals, stats: Readonly<MirrorTotals>): void {
  totals.skips += stats.skips;
  totals.resyncs += stats.resyncs;
  totals.bytesSkipped += stats.bytesSkipped;
}

/** Names are hostile text: nothing but printable ASCII reaches the terminal, so that each takes one cell. */
const printable = (text: string): string => text.replace(/[^ -~]/gu, '?');
