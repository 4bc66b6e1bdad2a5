/**
 * The oracle of the exact resync: a producer in a pane of a private tmux is stopped right after the seam, and then
 * every cell, attribute and the cursor of the viewer that skipped must equal what tmux shows.
 *
 * ```text
 * producer ─▶ tmux ─▶ bridge ─┬▶ lossless xterm ──────────┐ also: the state that shows later
 *                             └▶ skipping xterm ─▶ equal? ◀┴ capture-pane, painted by a fresh xterm
 * ```
 *
 * A flood would scroll the damage away, hence the stop. The lossless viewer is the control: where it differs from
 * tmux, xterm.js and tmux disagree about a sequence. Then only cells and cursor are compared, with tmux; and where both
 * viewers differ from tmux, the round says nothing (`void`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  connect,
  type Pane,
  type Pipe,
  type ResyncReport,
  type Session,
  type Sink,
} from '@millrace/bridge';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import xterm from '@xterm/headless';
import type { TestServer } from './support/tmux.ts';

const { Terminal } = xterm;
type Terminal = InstanceType<typeof Terminal>;

export const columns = 40;
export const rows = 12;

export interface OracleOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly worker?: boolean;
  /** Panes that flood beside the watched one. */
  readonly floods?: number;
  /** Units of the producer, separated by commas. */
  readonly kinds?: string;
  /** What a round stands for: a viewer that lags, or tmux dropping output. */
  readonly cause?: 'skip' | 'gap';
  /** Ends the run early (milliseconds of `Date.now`). */
  readonly deadline?: number;
  readonly log?: (line: string) => void;
}

export interface OracleResult {
  /** Rounds with a resync that was claimed exact, and compared. */
  exact: number;
  /** Of them, those that differed from tmux, or in hidden state from the lossless viewer. */
  wrong: number;
  /** Resyncs that named something as inexact, by reason. */
  named: Record<string, number>;
  /** Of the named ones, those that did differ. */
  namedWrong: number;
  /** Rounds in which the hidden state was compared too: the control agreed with tmux. */
  hidden: number;
  /** Rounds in which both viewers differed from tmux. */
  void: number;
  /** Rounds in which the pipe stayed lossless, because a snapshot wouldn't have been exact. */
  held: number;
  attempts: number;
  bytesSkipped: number;
  differences: string[];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const newTerminal = (): Terminal =>
  new Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
const written = (terminal: Terminal, bytes: string): Promise<void> =>
  new Promise((resolve) => terminal.write(bytes, resolve));

/** Every visible cell as text: what it shows, its colours and attributes. */
function cellsOf(terminal: Terminal): string[][] {
  const buffer = terminal.buffer.active;
  return Array.from({ length: rows }, (_, y) => {
    const line = buffer.getLine(buffer.baseY + y)!;
    return Array.from({ length: columns }, (_, x) => {
      const cell = line.getCell(x)!;
      const colours = `${cell.getFgColorMode()}/${cell.getFgColor()} ${cell.getBgColorMode()}/${cell.getBgColor()}`;
      const flags = [
        cell.isBold(),
        cell.isItalic(),
        cell.isDim(),
        cell.isUnderline(),
        cell.isBlink(),
        cell.isInverse(),
        cell.isInvisible(),
        cell.isStrikethrough(),
        cell.isOverline(),
      ].map((flag) => (flag ? 1 : 0));
      const shown = cell.getWidth() === 0 ? '' : cell.getChars() || ' ';
      return `${JSON.stringify(shown)} ${colours} ${flags.join('')}`;
    });
  });
}

/** State that shows only later: pen, sets, region, saved cursor, modes. */
function hiddenOf(terminal: Terminal, saved: boolean): string {
  // biome-ignore lint/suspicious/noExplicitAny: xterm.js keeps this state to itself
  const core = (terminal as any)._core;
  const { buffer } = core;
  // A palette colour leaves bits of an earlier RGB colour behind.
  const part = (bits: number): string => {
    const mode = bits & 0x3000000;
    const colour = mode === 0 ? 0 : mode === 0x3000000 ? bits & 0xffffff : bits & 0xff;
    return ((bits & 0xfc000000) | mode | colour).toString(16);
  };
  const pen = (attributes: { fg: number; bg: number }): string =>
    `${part(attributes.fg)}/${part(attributes.bg)}`;
  const { glevel } = core._charsetService;
  return JSON.stringify({
    x: buffer.x,
    y: buffer.y,
    pen: pen(core._inputHandler._curAttrData),
    sets: [0, 1].map((level) => core._charsetService._charsets[level] !== undefined),
    glevel,
    region: [buffer.scrollTop, buffer.scrollBottom],
    saved: saved && [buffer.savedX, buffer.savedY, pen(buffer.savedCurAttrData)],
    alternate: terminal.buffer.active.type,
    modes: { ...terminal.modes, sendFocusMode: undefined },
  });
}

function firstChange(got: string, wanted: string): string {
  let at = 0;
  while (got[at] === wanted[at]) at++;
  const from = Math.max(0, at - 30);
  return `…${got.slice(from, at + 30)}… instead of …${wanted.slice(from, at + 30)}…`;
}

function firstDifference(got: string[][], wanted: string[][]): string | undefined {
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      if (got[y]![x] !== wanted[y]![x])
        return `row ${y} column ${x}: ${got[y]![x]} instead of ${wanted[y]![x]}`;
    }
  }
  return undefined;
}

interface Truth {
  readonly cells: string[][];
  readonly cursor: string;
}

/** What tmux shows, once it shows the same twice. */
async function truthOf(session: Session, pane: Pane): Promise<Truth> {
  const capture = async (): Promise<[string, string]> => {
    const [screen, cursor] = await Promise.all([
      session.command('capture-pane', '-p', '-e', '-N', '-t', `%${pane.id}`),
      session.command('display-message', '-p', '-t', `%${pane.id}`, '#{cursor_x},#{cursor_y}'),
    ]);
    return [screen.lines.join('\n'), cursor.lines[0]!];
  };
  let last = await capture();
  for (;;) {
    await sleep(3);
    const now = await capture();
    if (now[0] === last[0] && now[1] === last[1]) break;
    last = now;
  }
  const terminal = newTerminal();
  const painted = last[0].split('\n').map((row, y) => `\x1b[${y + 1};1H${row}`);
  await written(terminal, `\x1b)0${painted.join('')}`);
  const cells = cellsOf(terminal);
  terminal.dispose();
  return { cells, cursor: last[1] };
}

const cursorOf = (terminal: Terminal): string => {
  const { cursorX, cursorY } = terminal.buffer.active;
  return `${cursorX},${cursorY}`;
};

/** A terminal behind a gate that the round closes and opens. */
function gated(terminal: Terminal): { sink: Sink; close(): void; open(): void; idle(): boolean } {
  const inner = xtermSink(terminal);
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

/** Runs the rounds and counts. */
export async function runOracle(server: TestServer, options: OracleOptions): Promise<OracleResult> {
  const { seed, worker = false, floods = 0, kinds = 'all', cause = 'skip', log } = options;
  const result: OracleResult = {
    exact: 0,
    wrong: 0,
    named: {},
    namedWrong: 0,
    hidden: 0,
    void: 0,
    held: 0,
    attempts: 0,
    bytesSkipped: 0,
    differences: [],
  };
  let random = seed >>> 0 || 1;
  const below = (limit: number): number => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return (random >>> 8) % limit;
  };
  const producer = fileURLToPath(new URL('../scripts/resync-producer.mjs', import.meta.url));
  const pidFile = join(server.directory, `pid-${seed}`);
  // A shell that isn't interactive: the producer is its child, so that tmux doesn't wake it when it is stopped.
  const command = `stty raw -echo; sleep 0.3; ${process.execPath} ${producer} ${seed} ${columns} ${rows} ${kinds} & echo $! > ${pidFile}; wait`;
  await using session = await connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: `oracle-${seed}`,
    create: { command, columns, rows },
    worker,
  });
  const pane = [...session.panes.values()][0]!;
  const control = newTerminal();
  const viewer = newTerminal();
  const lossless = pane.pipe(xtermSink(control));
  const gate = gated(viewer);
  const pipe = pane.pipe(gate.sink, { policy: 'latest', bytesHigh: 300 });
  for (let flood = 0; flood < floods; flood++) {
    await session.command('new-window', '-d', 'while :; do seq 1 100000; done');
  }
  const client = (await session.command('display-message', '-p', '#{client_name}')).lines[0]!;
  let pid = 0;
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  };
  while (pid === 0) {
    await sleep(20);
    try {
      pid = Number(readFileSync(pidFile, 'utf8'));
    } catch {
      // The shell hasn't written it yet.
    }
  }
  let report: ResyncReport | undefined;
  let delayMs = 0;
  session.on('resync', (_pane, restored) => {
    report = restored;
    result.attempts += restored.attempts;
    // Right after the seam, or a little later.
    if (delayMs === 0) signal('SIGSTOP');
    else setTimeout(() => signal('SIGSTOP'), delayMs);
  });
  try {
    for (let round = 0; round < options.rounds; round++) {
      if (options.deadline !== undefined && Date.now() > options.deadline) break;
      report = undefined;
      delayMs = below(3) === 0 ? 1 + below(3) : 0;
      const before = pipe.stats.skips;
      if (cause === 'skip') gate.close();
      signal('SIGCONT');
      if (cause === 'gap') {
        await sleep(below(15));
        // From outside: asked for in this connection, `%pause` would come inside the reply.
        server.run('refresh-client', '-t', client, '-A', `%${pane.id}:pause`);
      } else {
        for (let waited = 0; pipe.stats.skips === before && waited < 60; waited++) await sleep(1);
        await sleep(below(10));
        gate.open();
      }
      for (let waited = 0; report === undefined && waited < 400; waited++) await sleep(2);
      await sleep(delayMs + 1);
      signal('SIGSTOP');
      if (report === undefined) {
        result.held++;
        continue;
      }
      await compare(
        session,
        pane,
        { control, viewer, lossless, pipe, idle: gate.idle },
        report,
        result,
        cause,
        kinds,
        log,
      );
    }
  } finally {
    signal('SIGKILL');
  }
  result.bytesSkipped = pipe.stats.bytesSkipped;
  return result;
}

interface Viewers {
  readonly control: Terminal;
  readonly viewer: Terminal;
  readonly lossless: Pipe;
  readonly pipe: Pipe;
  idle(): boolean;
}

async function compare(
  session: Session,
  pane: Pane,
  viewers: Viewers,
  report: ResyncReport,
  result: OracleResult,
  cause: 'skip' | 'gap',
  kinds: string,
  log?: (line: string) => void,
): Promise<void> {
  const { control, viewer, lossless, pipe } = viewers;
  const truth = await truthOf(session, pane);
  const busy = (one: Pipe): boolean => one.stats.pendingBytes > 0 || one.stats.skipping;
  while (busy(lossless) || busy(pipe) || !viewers.idle()) await sleep(1);
  await Promise.all([written(control, ''), written(viewer, '')]);
  const got = firstDifference(cellsOf(viewer), truth.cells);
  const cursor =
    cursorOf(viewer) === truth.cursor
      ? undefined
      : `cursor ${cursorOf(viewer)} instead of ${truth.cursor}`;
  let difference = got ?? cursor;
  if (cause === 'skip') {
    const disputed =
      firstDifference(cellsOf(control), truth.cells) ??
      (cursorOf(control) === truth.cursor ? undefined : 'cursor');
    if (disputed !== undefined && difference !== undefined) {
      result.void++;
      log?.(`void: ${disputed}`);
      return;
    }
    // xterm.js keeps a saved cursor a screen, tmux one: with the alternate screen they differ for some bytes.
    const saved = kinds !== 'all' && !kinds.includes('alternate');
    const [hidden, wanted] = [hiddenOf(viewer, saved), hiddenOf(control, saved)];
    if (disputed === undefined) result.hidden++;
    if (disputed === undefined && hidden !== wanted)
      difference ??= `hidden ${firstChange(hidden, wanted)}`;
  }
  for (const reason of report.inexact) result.named[reason] = (result.named[reason] ?? 0) + 1;
  const named = report.inexact.length > 0;
  if (!named) result.exact++;
  if (difference === undefined) return;
  if (named) result.namedWrong++;
  else {
    result.wrong++;
    result.differences.push(difference);
    log?.(`wrong: ${difference}`);
  }
}
