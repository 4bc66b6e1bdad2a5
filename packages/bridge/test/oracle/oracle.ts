/**
 * The oracle of the exact resync: a program in a pane of a private tmux is stopped right after the seam, and then every
 * cell, attribute and the cursor of the viewer that skipped must equal what tmux shows.
 *
 * ```text
 * program ─▶ tmux ─▶ bridge ─┬▶ lossless xterm ──────────┐ also: the state that shows later
 *                            └▶ skipping xterm ─▶ equal? ◀┴ capture-pane, painted by a fresh xterm
 * ```
 *
 * A flood would scroll the damage away, hence the stop. The lossless viewer is the control: where it differs from
 * tmux, xterm.js and tmux disagree about a sequence. Then only cells and cursor are compared, with tmux; and where both
 * viewers differ from tmux, the cycle says nothing (`void`).
 */
import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pane, Pipe, ResyncReport, Session, Sink } from '@millrace/bridge';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import {
  cellsOf,
  cursorOf,
  firstDifference,
  hiddenOf,
  newTerminal,
  paintedRows,
  type Terminal,
  written,
} from '../support/cells.ts';
import { type TtyPane, ttyPane } from '../support/pane-tty.ts';
import { type TestServer, testServer } from '../support/tmux.ts';
import { Producer } from './producer.ts';

export const columns = 40;
export const rows = 12;

/** What to run. */
export interface OracleOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly worker?: boolean;
  /** Panes that flood beside the watched one. */
  readonly floods?: number;
  /** Units of the program, separated by commas; `all`; `program` for a full-screen program. */
  readonly kinds?: string;
  /** Whether somebody else watches the pane without loss; without, there is no control. @defaultValue true */
  readonly control?: boolean;
  /** What a cycle stands for: a viewer that lags, or tmux dropping output. */
  readonly cause?: 'skip' | 'gap';
  /** Whether the viewer's sink carries characters over that a write cuts. @defaultValue true */
  readonly carry?: boolean;
  /** Ends the run early (milliseconds of `Date.now`). */
  readonly deadline?: number;
  readonly log?: (line: string) => void;
}

/** What came out. */
export interface OracleResult {
  /** Cycles with a resync that was claimed exact, and compared. */
  exact: number;
  /** Of them, those that differed from tmux, or in hidden state from the lossless viewer. */
  wrong: number;
  /** Resyncs that named something as inexact, by reason. */
  named: Record<string, number>;
  /** Of the named ones, those that did differ. */
  namedWrong: number;
  /** Cycles in which the hidden state was compared too: the control agreed with tmux. */
  hidden: number;
  /** Cycles in which both viewers differed from tmux. */
  void: number;
  /** Cycles in which the pipe stayed lossless, because a snapshot wouldn't have been exact. */
  held: number;
  /** Cycles whose resync hadn't come after a second. */
  late: number;
  /** Requests that were needed. */
  attempts: number;
  /** Seams that were found among output of other panes. */
  searched: number;
  bytesSkipped: number;
  seconds: number;
  /** What differed, with all that is needed to understand it. */
  differences: string[];
}

/** A terminal behind a gate that the cycle closes and opens. */
function gated(inner: Sink): { sink: Sink; close(): void; open(): void; idle(): boolean } {
  let gate: Promise<void> | undefined;
  let open = (): void => {};
  let writing = 0;
  return {
    sink: {
      async write(bytes) {
        writing++;
        await gate;
        await inner.write(bytes);
        writing--;
      },
    } as Sink,
    close() {
      gate ??= new Promise((resolve) => {
        open = resolve;
      });
    },
    open() {
      open();
      gate = undefined;
    },
    idle: () => writing === 0,
  };
}

/** A sink that takes bytes as they are cut, as adapters do that don't know better. */
const rawSink = (terminal: Terminal): Sink => ({
  write: (bytes) => new Promise<void>((resolve) => terminal.write(bytes.slice(), resolve)),
});

/** What tmux shows; cells that it doesn't report are `undefined`. */
interface Truth {
  readonly cells: (string | undefined)[][];
  readonly cursor: string;
}

async function capture(session: Session, pane: Pane): Promise<[string, string]> {
  const target = `%${pane.id}`;
  const [screen, cursor] = await Promise.all([
    session.command('capture-pane', '-p', '-e', '-N', '-t', target),
    session.command('display-message', '-p', '-t', target, '#{cursor_x},#{cursor_y}'),
  ]);
  return [screen.lines.join('\n'), cursor.lines[0]!];
}

async function truthOf(session: Session, pane: Pane): Promise<Truth> {
  const [screen, cursor] = await capture(session, pane);
  const terminal = newTerminal(columns, rows);
  await written(terminal, paintedRows(screen.split('\n')));
  const cells = cellsOf(terminal, true);
  terminal.dispose();
  return { cells, cursor };
}

/** Prints in the last column of each row, and so has tmux report all cells. */
const reveal = `\x1b\\\x1b\\\x1b[r\x1b[?6l\x1b[?7l\x1b[4l\x1b[0m\x1b(B\x0f${Array.from({ length: rows }, (_, y) => `\x1b[${y + 1};${columns - 1}H\x1b[K..`).join('')}\x1b[?7h\x1b[H`;

/** One run: a pane, its program, its two viewers. */
class Oracle {
  readonly #options: OracleOptions;
  readonly #tty: TtyPane;
  readonly #producer: Producer;
  readonly #control = newTerminal(columns, rows);
  readonly #viewer = newTerminal(columns, rows);
  readonly #lossless: Pipe | undefined;
  readonly #gate: ReturnType<typeof gated>;
  readonly #pipe: Pipe;
  readonly #recent: number[] = [];
  #seam = '';
  #revealed = 0;
  #random: number;
  readonly result: OracleResult = {
    exact: 0,
    wrong: 0,
    named: {},
    namedWrong: 0,
    hidden: 0,
    void: 0,
    held: 0,
    late: 0,
    attempts: 0,
    searched: 0,
    bytesSkipped: 0,
    seconds: 0,
    differences: [],
  };

  constructor(options: OracleOptions, tty: TtyPane) {
    const { seed, kinds = 'all', control = true, carry = true } = options;
    this.#options = options;
    this.#tty = tty;
    this.#random = seed >>> 0 || 1;
    this.#producer = new Producer(tty, { seed, kinds, columns, rows });
    const { pane } = tty;
    if (control) this.#lossless = pane.pipe(xtermSink(this.#control));
    if (control) pane.pipe({ write: (bytes) => this.#remember(bytes) });
    this.#gate = gated(carry ? xtermSink(this.#viewer) : rawSink(this.#viewer));
    this.#pipe = pane.pipe(this.#gate.sink, { policy: 'latest', bytesHigh: 300 });
  }

  #below(limit: number): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return (this.#random >>> 8) % limit;
  }

  #remember(bytes: Uint8Array): undefined {
    for (const byte of bytes) this.#recent.push(byte);
    if (this.#recent.length > 40_000) this.#recent.splice(0, 20_000);
    return undefined;
  }

  async run(): Promise<void> {
    const { session, pane } = this.#tty;
    const { cycles, cause = 'skip', deadline = Number.POSITIVE_INFINITY } = this.#options;
    let report: ResyncReport | undefined;
    let delayMs = 0;
    session.on('resync', (_pane, restored) => {
      report = restored;
      this.result.attempts += restored.attempts;
      // Right after the seam, or a little later.
      if (delayMs === 0) this.#producer.stop();
      else setTimeout(() => this.#producer.stop(), delayMs);
    });
    const handed = channel('@millrace/bridge:handed');
    const subscriber = (message: unknown): void => this.#handed(message as HandedMessage);
    handed.subscribe(subscriber);
    const started = performance.now();
    try {
      for (let cycle = 0; cycle < cycles && Date.now() < deadline; cycle++) {
        report = undefined;
        delayMs = this.#below(3) === 0 ? 1 + this.#below(3) : 0;
        const before = this.#pipe.stats.skips;
        if (cause === 'skip') this.#gate.close();
        this.#producer.run();
        if (cause === 'gap') await this.#gap();
        else await this.#skip(before);
        for (let waited = 0; report === undefined && waited < 500; waited++) {
          if (cause === 'skip' && this.#pipe.stats.skips === before && waited > 50) break;
          await sleep(2);
        }
        this.#producer.stop();
        await this.#producer.still(this.#revealed);
        if (report === undefined) {
          if (this.#pipe.stats.skips === before) this.result.held++;
          else this.result.late++;
          continue;
        }
        if (cause === 'gap') await this.#quiet();
        else await this.#tty.settled();
        if (report !== undefined) await this.#compare(report, pane, cause);
      }
    } finally {
      handed.unsubscribe(subscriber);
      await this.#producer.end();
      this.result.seconds = Math.round((performance.now() - started) / 100) / 10;
      this.result.bytesSkipped = this.#pipe.stats.bytesSkipped;
    }
  }

  async #skip(before: number): Promise<void> {
    for (let waited = 0; this.#pipe.stats.skips === before && waited < 60; waited++) await sleep(1);
    await sleep(this.#below(6));
    this.#gate.open();
  }

  /** Has tmux pause the pane and drop what is queued. From outside: in this connection, `%pause` is in the reply. */
  async #gap(): Promise<void> {
    const { session, pane } = this.#tty;
    await sleep(this.#below(15));
    const { lines } = await session.command('display-message', '-p', '#{client_name}');
    this.#tty.server.run('refresh-client', '-t', lines[0]!, '-A', `%${pane.id}:pause`);
  }

  /** Resolves when tmux shows the same twice: bytes are missing, so they can't be counted. */
  async #quiet(): Promise<void> {
    const { session, pane } = this.#tty;
    for (let last = ''; ; ) {
      const now = (await capture(session, pane)).join('\n');
      if (now === last) return;
      last = now;
      await sleep(5);
    }
  }

  /** What a snapshot was made of, in words. */
  #handed({ pane, screen, tracker, restBytes, attempts }: HandedMessage): void {
    if (pane !== this.#tty.pane.id) return;
    if (restBytes > 0) this.result.searched++;
    const { rows: _, hidden: _1, history: _2, ...told } = screen;
    const { pen, cursor, saved, sets, shift, alternatePen } = tracker;
    const known = {
      pen: pen.sgr(),
      x: cursor.x,
      y: cursor.y,
      sets,
      shift,
      saved: { ...saved, pen: saved.pen.sgr() },
      alternatePen: alternatePen.sgr(),
    };
    const at = this.#recent.length - restBytes;
    const text = (from: number, end: number): string =>
      JSON.stringify(Buffer.from(this.#recent.slice(Math.max(0, from), end)).toString('latin1'));
    this.#seam = `attempts ${attempts}, seam ${restBytes} bytes back, tracker ${JSON.stringify(known)}, told ${JSON.stringify(told)}, before ${text(at - 300, at)}, after ${text(at, at + restBytes)}`;
  }

  async #shown(): Promise<void> {
    const busy = (pipe: Pipe | undefined): boolean =>
      pipe !== undefined && (pipe.stats.pendingBytes > 0 || pipe.stats.skipping);
    while (busy(this.#lossless) || busy(this.#pipe) || !this.#gate.idle()) await sleep(1);
    await Promise.all([written(this.#control, ''), written(this.#viewer, '')]);
  }

  async #compare(report: ResyncReport, pane: Pane, cause: 'skip' | 'gap'): Promise<void> {
    const { result } = this;
    const withControl = cause === 'skip' && this.#lossless !== undefined;
    let truth = await truthOf(this.#tty.session, pane);
    await this.#shown();
    const shown = (terminal: Terminal): string | undefined =>
      firstDifference(cellsOf(terminal), truth.cells) ??
      (cursorOf(terminal) === truth.cursor
        ? undefined
        : `cursor ${cursorOf(terminal)} instead of ${truth.cursor}`);
    let difference = shown(this.#viewer);
    if (withControl) {
      const disputed = shown(this.#control);
      if (disputed !== undefined && difference !== undefined) {
        result.void++;
        this.#options.log?.(`void: ${disputed}`);
        return;
      }
      if (disputed === undefined) {
        result.hidden++;
        difference ??= this.#hidden();
        const erased = firstDifference(cellsOf(this.#viewer), cellsOf(this.#control));
        if (difference === undefined && erased !== undefined) {
          // In cells that capture-pane leaves out.
          this.#tty.feed(reveal);
          this.#revealed += reveal.length;
          await this.#tty.settled();
          await this.#shown();
          truth = await truthOf(this.#tty.session, pane);
          difference = shown(this.#viewer);
          if (difference !== undefined && shown(this.#control) !== undefined)
            difference = undefined;
        }
      }
    }
    this.#count(report, difference);
  }

  #hidden(): string | undefined {
    const { kinds = 'all' } = this.#options;
    const saved = kinds !== 'all' && !/alternate|program/.test(kinds);
    const [got, wanted] = [hiddenOf(this.#viewer, saved), hiddenOf(this.#control, saved)];
    if (got === wanted) return undefined;
    let at = 0;
    while (got[at] === wanted[at]) at++;
    const part = (text: string): string => text.slice(Math.max(0, at - 30), at + 30);
    return `hidden …${part(got)}… instead of …${part(wanted)}…`;
  }

  #count(report: ResyncReport, difference: string | undefined): void {
    const { result } = this;
    for (const reason of report.inexact) result.named[reason] = (result.named[reason] ?? 0) + 1;
    const named = report.inexact.length > 0;
    if (!named) result.exact++;
    if (difference === undefined) return;
    if (named) result.namedWrong++;
    else {
      result.wrong++;
      const text = JSON.stringify(Buffer.from(this.#recent.slice(-300)).toString('latin1'));
      result.differences.push(`${difference}; ${this.#seam}, last ${text}`);
      this.#options.log?.(`wrong: ${result.differences.at(-1)}`);
    }
  }
}

/** What `@millrace/bridge:handed` carries. */
interface HandedMessage {
  readonly pane: number;
  readonly screen: { rows: unknown; hidden: unknown; history: unknown };
  readonly tracker: {
    pen: { sgr(): string };
    alternatePen: { sgr(): string };
    cursor: { x: number; y: number };
    saved: { pen: { sgr(): string } };
    sets: unknown;
    shift: number;
  };
  readonly restBytes: number;
  readonly attempts: number;
}

/** Runs cycles on a tmux server of its own and counts. */
export async function runOracle(options: OracleOptions): Promise<OracleResult> {
  const server: TestServer = testServer();
  try {
    await using tty = await ttyPane(server, {
      name: `oracle-${options.seed}`,
      columns,
      rows,
      worker: options.worker ?? false,
    });
    for (let flood = 0; flood < (options.floods ?? 0); flood++) {
      await tty.session.command('new-window', '-d', 'while :; do seq 1 100000; done');
    }
    const oracle = new Oracle(options, tty);
    await oracle.run();
    return oracle.result;
  } finally {
    server.close();
  }
}
