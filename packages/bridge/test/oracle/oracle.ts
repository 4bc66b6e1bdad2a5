/**
 * The oracle of the exact resync: a program in a pane of a private tmux is stopped right after the seam, and then every
 * cell, attribute and the cursor of the viewer that skipped must equal what tmux shows.
 *
 * ```text
 * program ─┬▶ tmux ─▶ bridge ─▶ skipping xterm ─▶ equal? ◀─ capture-pane, painted by a fresh xterm
 *          └▶ control: an xterm that gets the same bytes ──┘ also: the state that shows later
 * ```
 *
 * A flood would scroll the damage away, hence the stop, zero to four pieces or 1 to 3 ms after the seam. Where the control differs from tmux, xterm.js and tmux disagree
 * about a sequence. Then only cells and cursor are compared, with tmux; and where both differ from tmux, the cycle says
 * nothing (`void`).
 */
import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { nullSink, type Pane, type Pipe, type ResyncReport, type Sink } from '@millrace/bridge';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import {
  cellsOf,
  cursorOf,
  firstDifference,
  hiddenOf,
  newTerminal,
  type Terminal,
  written,
} from '../support/cells.ts';
import { type TtyPane, ttyPane } from '../support/pane-tty.ts';
import { type TestServer, testServer } from '../support/tmux.ts';
import { loadPieces, type Pieces, Producer } from './producer.ts';
import { capture, inColumns, type Truth, truthOf } from './truth.ts';

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
  /** Whether somebody else watches the pane without loss, so that it is never paused. @defaultValue true */
  readonly lossless?: boolean;
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
  /** Of them, those that differed from tmux, or in hidden state from the control. */
  wrong: number;
  /** Resyncs that named something as inexact, by reason. */
  named: Record<string, number>;
  /** Of the named ones, those that did differ. */
  namedWrong: number;
  /** Cycles in which the hidden state was compared too: the control agreed with tmux. */
  hidden: number;
  /** Cycles in which the control differed from tmux too. */
  void: number;
  /** Cycles in which the pipe stayed lossless, because a snapshot wouldn't have been exact. */
  held: number;
  /** Cycles whose resync hadn't come after a second. */
  late: number;
  /** Cycles in which tmux dropped output: the pane was paused. */
  dropped: number;
  /** Rows of which tmux was asked column by column. */
  asked: number;
  /** Requests that were needed. */
  attempts: number;
  /** Seams that were found among output of other panes. */
  searched: number;
  /** Seams inside a sequence, and inside a character. */
  pending: number;
  cut: number;
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

/** Prints in the last column of each row, and so has tmux report all cells. */
const reveal = `\x1b\\\x1b\\\x1b[r\x1b[?6l\x1b[?7l\x1b[4l\x1b[0m\x1b(B\x0f${Array.from({ length: rows }, (_, y) => `\x1b[${y + 1};${columns - 1}H\x1b[K..`).join('')}\x1b[?7h\x1b[H`;

/** One run: a pane, its program, its two viewers. */
class Oracle {
  readonly #options: OracleOptions;
  readonly #tty: TtyPane;
  readonly #producer: Producer;
  readonly #control = newTerminal(columns, rows);
  readonly #viewer = newTerminal(columns, rows);
  readonly #controlSink = xtermSink(this.#control);
  readonly #next: () => Buffer;
  readonly #gate: ReturnType<typeof gated>;
  readonly #pipe: Pipe;
  /** The end of what the program has written, and how much that was. */
  #recent: Buffer = Buffer.alloc(0);
  #given = 0;
  #report: ResyncReport | undefined;
  #handedOver: HandedMessage | undefined;
  #handedAt = 0;
  #revealed = 0;
  /** Bytes that tmux dropped. */
  #lost = 0;
  /** How often tmux has paused the pane, and how often before what is known to be lost. */
  #pauses = 0;
  #pausesBefore = 0;
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
    dropped: 0,
    asked: 0,
    attempts: 0,
    searched: 0,
    pending: 0,
    cut: 0,
    bytesSkipped: 0,
    seconds: 0,
    differences: [],
  };

  constructor(options: OracleOptions, tty: TtyPane, pieces: Pieces) {
    const { seed, kinds = 'all', lossless = true, carry = true } = options;
    this.#options = options;
    this.#tty = tty;
    this.#random = seed >>> 0 || 1;
    this.#producer = new Producer(tty, { seed, kinds, columns, rows });
    const { pane } = tty;
    this.#next = pieces({ seed, kinds, columns, rows });
    if (lossless) pane.pipe(nullSink());
    this.#gate = gated(carry ? xtermSink(this.#viewer) : rawSink(this.#viewer));
    this.#pipe = pane.pipe(this.#gate.sink, { policy: 'latest', bytesHigh: 300 });
  }

  #below(limit: number): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return (this.#random >>> 8) % limit;
  }

  /** Gives the control what the program has written. */
  async #follow(): Promise<void> {
    const written: Buffer[] = [];
    while (this.#given < this.#producer.bytes) {
      const piece = this.#next();
      this.#given += piece.length;
      written.push(piece);
    }
    const bytes = Buffer.concat(written);
    if (bytes.length > 0) await this.#controlSink.write(bytes);
    this.#recent = Buffer.concat([this.#recent, bytes]);
    this.#recent = this.#recent.subarray(-100_000);
  }

  async run(): Promise<void> {
    const { session, pane } = this.#tty;
    const { cycles, cause = 'skip', deadline = Number.POSITIVE_INFINITY } = this.#options;
    let delayMs = 0;
    let more = 0;
    session.on('resync', (_pane, restored) => {
      this.#report = restored;
      this.result.attempts += restored.attempts;
      // Right after the seam, or a little later, when what was missing of a sequence or a character has shown.
      if (delayMs === 0) this.#producer.stopAfter(more);
      else setTimeout(() => this.#producer.stop(), delayMs);
    });
    session.on('notification', ({ type }) => {
      if (type === 'pause') this.#pauses++;
    });
    const handed = channel('@millrace/bridge:handed');
    const subscriber = (message: unknown): void => this.#handed(message as HandedMessage);
    handed.subscribe(subscriber);
    while (this.#pipe.stats.resyncs === 0) await sleep(1);
    const started = performance.now();
    try {
      let compared = 0;
      for (let cycle = 0; cycle < cycles; cycle++) {
        // A machine that is busy compares few, not none.
        if (Date.now() >= deadline && compared > 0) break;
        this.#report = undefined;
        delayMs = this.#below(3) === 0 ? 1 + this.#below(3) : 0;
        more = this.#below(5);
        const before = this.#pipe.stats.skips;
        if (cause === 'skip') this.#gate.close();
        this.#producer.run();
        if (cause === 'gap') await this.#gap();
        else await this.#skip(before);
        for (let waited = 0; this.#report === undefined && waited < 500; waited++) {
          if (cause === 'skip' && this.#pipe.stats.skips === before && waited > 50) break;
          await sleep(2);
        }
        if (this.#report === undefined) this.#producer.stop();
        await this.#producer.still(this.#revealed);
        await this.#follow();
        if (this.#report === undefined) {
          if (this.#pipe.stats.skips === before) this.result.held++;
          else this.result.late++;
          continue;
        }
        await this.#settled(cause);
        await this.#compare(pane, cause);
        compared++;
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

  /** Resolves when all that was written has come; or, where tmux dropped output, when nothing changes. */
  async #settled(cause: 'skip' | 'gap'): Promise<void> {
    const { pane } = this.#tty;
    // tmux drops nothing unless it pauses the pane.
    const dropsNothing = (): boolean => this.#pauses === this.#pausesBefore;
    for (let waited = 0; cause === 'skip' && (waited < 400 || dropsNothing()); waited++) {
      if (pane.bytes + this.#lost >= this.#tty.written) return;
      await sleep(waited < 20 ? 0 : 5);
    }
    await this.#quiet();
    this.#pausesBefore = this.#pauses;
    this.#lost = this.#tty.written - pane.bytes;
    this.result.dropped++;
  }

  /** Resolves when tmux shows the same twice: bytes are missing, so they can't be counted. */
  async #quiet(): Promise<void> {
    const { session, pane } = this.#tty;
    for (let last = ''; ; ) {
      const { told, cursor } = await capture(session, pane);
      const now = [...told, cursor].join('\n');
      if (now === last) return;
      last = now;
      await sleep(5);
    }
  }

  #handed(message: HandedMessage): void {
    if (message.pane !== this.#tty.pane.id) return;
    if (message.restBytes > 0) this.result.searched++;
    if (message.tracker.cut.length > 0) this.result.cut++;
    if (message.screen.pending.length > 0) this.result.pending++;
    this.#handedOver = message;
    this.#handedAt = this.#tty.pane.bytes + this.#lost - 1 - this.#revealed - message.restBytes;
  }

  /** What the last snapshot was made of, in words. */
  #seam(): string {
    if (this.#handedOver === undefined) return '';
    const { screen, tracker, restBytes, attempts } = this.#handedOver;
    const { rows: _, hidden: _1, history: _2, capturedHidden: _3, ...told } = screen;
    const { pen, cursor, saved, sets, shift, screens } = tracker;
    const known = {
      pen: pen.sgr(),
      x: cursor.x,
      y: cursor.y,
      sets,
      shift,
      saved: { ...saved, pen: saved.pen.sgr() },
      alternatePen: screens.pen.sgr(),
    };
    const at = this.#recent.length - (this.#given - this.#handedAt);
    const text = (from: number, end?: number): string =>
      JSON.stringify(this.#recent.subarray(Math.max(0, from), end).toString('latin1'));
    return `attempts ${attempts}, ${restBytes} bytes since, tracker when it had followed them ${JSON.stringify(known)}, told ${JSON.stringify(told)}, before ${text(at - 300, at)}, after ${text(at)}`;
  }

  async #shown(): Promise<void> {
    const { stats } = this.#pipe;
    if (stats.pendingBytes > 0 || stats.skipping || !this.#gate.idle()) {
      await sleep(1);
      return this.#shown();
    }
    await Promise.all([written(this.#control, ''), written(this.#viewer, '')]);
  }

  async #compare(pane: Pane, cause: 'skip' | 'gap'): Promise<void> {
    const { result } = this;
    const { session } = this.#tty;
    const told = await truthOf(session, pane, columns);
    await this.#shown();
    const cursor = (terminal: Terminal): string | undefined =>
      cursorOf(terminal) === told.cursor
        ? undefined
        : `cursor ${cursorOf(terminal)} instead of ${told.cursor}`;
    const astray = cursor(this.#viewer);
    const isControlAstray = cause === 'skip' && cursor(this.#control) !== undefined;
    const hidden = cause === 'skip' ? this.#hidden() : undefined;
    let truth = await this.#inColumns(told, pane, cause);
    let difference = this.#differs(this.#viewer, truth) ?? astray;
    if (cause === 'skip') {
      const disputed = this.#differs(this.#control, truth) ?? isControlAstray;
      if (disputed && difference !== undefined) {
        result.void++;
        this.#options.log?.(`void: ${disputed}`);
        return;
      }
      if (!disputed) {
        result.hidden++;
        // What was lost with dropped output has been named then.
        if (this.#lost === 0) difference ??= hidden;
        const erased = firstDifference(cellsOf(this.#viewer), cellsOf(this.#control));
        if (difference === undefined && erased !== undefined) {
          // In cells that capture-pane leaves out.
          await this.#feed(reveal);
          truth = await this.#inColumns(await truthOf(session, pane, columns), pane, cause);
          difference = this.#differs(this.#viewer, truth);
          if (this.#differs(this.#control, truth) !== undefined) difference = undefined;
        }
      }
    }
    this.#count(difference);
  }

  #differs(terminal: Terminal, truth: Truth): string | undefined {
    return firstDifference(cellsOf(terminal), truth.cells);
  }

  /** Writes what the program doesn't: to the pane, and so to the viewer, and to the control. */
  async #feed(bytes: string): Promise<void> {
    this.#tty.feed(bytes);
    this.#revealed += bytes.length;
    await this.#controlSink.write(Buffer.from(bytes));
    await this.#settled('skip');
    await this.#shown();
  }

  /** Has tmux tell the columns of rows in which a terminal shows something else. */
  async #inColumns(truth: Truth, pane: Pane, cause: 'skip' | 'gap'): Promise<Truth> {
    const terminals = cause === 'skip' ? [this.#viewer, this.#control] : [this.#viewer];
    const differing = truth.cells.flatMap((row, y) =>
      terminals.some((one) => firstDifference([cellsOf(one)[y]!], [row]) !== undefined) ? [y] : [],
    );
    if (differing.length === 0) return truth;
    this.result.asked += differing.length;
    return inColumns(truth, differing, this.#tty.session, pane, (bytes) => this.#feed(bytes));
  }

  #hidden(): string | undefined {
    const { kinds = 'all' } = this.#options;
    const saved = kinds !== 'all' && !/alternate|program|halves/.test(kinds);
    const [got, wanted] = [hiddenOf(this.#viewer, saved), hiddenOf(this.#control, saved)];
    if (got === wanted) return undefined;
    let at = 0;
    while (got[at] === wanted[at]) at++;
    const part = (text: string): string => text.slice(Math.max(0, at - 30), at + 30);
    return `hidden …${part(got)}… instead of …${part(wanted)}…`;
  }

  #count(difference: string | undefined): void {
    const { result } = this;
    const report = this.#report!; // the last: it may have lagged twice
    for (const reason of report.inexact) result.named[reason] = (result.named[reason] ?? 0) + 1;
    const named = report.inexact.length > 0;
    if (!named) result.exact++;
    if (difference === undefined) return;
    if (named) result.namedWrong++;
    else {
      result.wrong++;
      result.differences.push(`${difference}; ${this.#seam()}`);
      this.#options.log?.(`wrong: ${result.differences.at(-1)}`);
    }
  }
}

/** What `@millrace/bridge:handed` carries. */
interface HandedMessage {
  readonly pane: number;
  readonly screen: {
    pending: Uint8Array;
    rows: unknown;
    hidden: unknown;
    history: unknown;
    capturedHidden: unknown;
  };
  readonly tracker: {
    pen: { sgr(): string };
    screens: { pen: { sgr(): string } };
    cursor: { x: number; y: number };
    saved: { pen: { sgr(): string } };
    sets: unknown;
    cut: Uint8Array;
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
    const oracle = new Oracle(options, tty, await loadPieces());
    await oracle.run();
    return oracle.result;
  } finally {
    server.close();
  }
}
