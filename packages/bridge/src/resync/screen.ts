/**
 * What tmux tells about a pane's screen: the commands that ask, in one line, and the reading of their replies.
 *
 * tmux runs the commands of one line without reading from a program in between (seen on 3.3a and in cmd-queue.c), so
 * the replies show one moment. With `resume`, output of a paused pane begins again at that very moment.
 */
import { areDefault, capturedRows } from './captured-rows.ts';
import type { Dialect } from './dialect.ts';
import type { StreamTracker } from './tracker.ts';

/** A screen as tmux has it. */
export interface Screen {
  /** The rows that scrolled away, oldest first, with SGR sequences; as many as were asked for. */
  readonly history: readonly string[];
  /** The visible rows. Colours go on from row to row, beginning with `history`. */
  readonly rows: readonly string[];
  /** The rows that the alternate screen hides; empty without one. */
  readonly hidden: readonly string[];
  /** History and visible rows, and hidden ones, as tmux told them. */
  readonly captured: readonly string[];
  readonly capturedHidden: readonly string[];
  /** The beginning of a sequence that isn't complete. */
  readonly pending: Uint8Array;
  readonly columns: number;
  readonly height: number;
  /** Cursor column; `columns` after printing in the last one. */
  readonly x: number;
  readonly y: number;
  /** The scroll region, both included. */
  readonly top: number;
  readonly bottom: number;
  readonly tabs: readonly number[];
  /** Whether the width of tabs in the rows is a guess that may be wrong. */
  readonly guessedTabs: boolean;
  readonly alternate: boolean;
  /** Cursor of the hidden screen. */
  readonly hiddenX: number;
  readonly hiddenY: number;
  readonly wrap: boolean;
  readonly origin: boolean;
  readonly insert: boolean;
  readonly cursorVisible: boolean;
  readonly keypad: boolean;
  readonly cursorKeys: boolean;
  /** Mouse modes that are on, as their DECSET numbers. */
  readonly mouse: readonly number[];
  /** Rows above the visible ones, and how many there may be. */
  readonly historySize: number;
  readonly historyLimit: number;
  /** The program's process: another one is a new screen. */
  readonly pid: number;
  /** The pane's title, as the program set it, or the host's name. */
  readonly title: string;
}

const fields = [
  'pane_width',
  'pane_height',
  'cursor_x',
  'cursor_y',
  'scroll_region_upper',
  'scroll_region_lower',
  'alternate_on',
  'alternate_saved_x',
  'alternate_saved_y',
  'wrap_flag',
  'origin_flag',
  'insert_flag',
  'cursor_flag',
  'keypad_flag',
  'keypad_cursor_flag',
  'mouse_standard_flag',
  'mouse_button_flag',
  'mouse_all_flag',
  'mouse_utf8_flag',
  'mouse_sgr_flag',
  'history_size',
  'history_limit',
  'pane_pid',
];
// The title comes last: it may contain anything.
const format = `${fields.map((name) => `#{${name}}`).join(';')};#{pane_tabs};#{pane_title}`;
const mouseModes = [1000, 1002, 1003, 1005, 1006];

/**
 * Returns the commands that ask for a pane's screen; they belong into one line.
 *
 * @param pane - its number
 * @param historyLines - how many rows above the visible ones
 * @param resume - whether the pane is paused and goes on from here
 */
export function screenCommands(
  pane: number,
  historyLines: number,
  resume: boolean,
): [name: string, ...args: string[]][] {
  const target = `%${pane}`;
  const first = historyLines > 0 ? ['-S', String(-historyLines)] : [];
  const commands: [string, ...string[]][] = [
    ['display-message', '-p', '-t', target, format],
    ['capture-pane', '-p', '-e', '-N', ...first, '-t', target],
    ['capture-pane', '-p', '-e', '-N', '-a', '-q', '-t', target],
    ['capture-pane', '-p', '-P', '-C', '-t', target],
  ];
  if (resume) commands.push(['refresh-client', '-A', `${target}:continue`]);
  return commands;
}

/** Undoes `capture-pane -C`: `\ooo` are bytes. */
const bytesOfEscaped = (text: string): Uint8Array =>
  Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    ),
    'latin1',
  );

/** Reads the replies of a tmux; undefined if they make no sense. */
export function readScreen(
  replies: readonly (readonly string[])[],
  dialect: Dialect,
): Screen | undefined {
  const [told, captured, hidden, pending] = replies;
  const words = told?.[0]?.split(';');
  if (words === undefined || words.length < fields.length + 2 || captured === undefined) {
    return undefined;
  }
  const numbers = words.slice(0, fields.length).map(Number);
  const title = words.slice(fields.length + 1).join(';');
  const [columns, height, x, y, top, bottom, alternate, hiddenX, hiddenY] = numbers as number[];
  const flags = numbers.slice(9, -3).map((value) => value === 1);
  const [historySize, historyLimit, pid] = numbers.slice(-3);
  const [wrap, origin, insert, cursorVisible, keypad, cursorKeys] = flags as boolean[];
  if (!(columns! > 0 && height! > 0) || captured.length < height!) return undefined;
  const tabs = words[fields.length]!.split(',').filter(Boolean).map(Number);
  const stops = { columns: columns!, tabs };
  const above = captured.length - height!;
  const { rows, guessed } = capturedRows(captured, dialect, stops, { above, whole: above + y! });
  const capturedHidden = alternate === 1 ? (hidden ?? []) : [];
  const covered = capturedRows(capturedHidden, dialect, stops);
  return {
    history: rows.slice(0, above),
    rows: rows.slice(above),
    hidden: covered.rows,
    captured,
    capturedHidden,
    guessedTabs: guessed || covered.guessed,
    pending: bytesOfEscaped((pending ?? []).join('\n')),
    columns: columns!,
    height: height!,
    x: x!,
    y: y!,
    top: top!,
    bottom: bottom!,
    tabs,
    alternate: alternate === 1,
    hiddenX: hiddenX!,
    hiddenY: hiddenY!,
    wrap: wrap!,
    origin: origin!,
    insert: insert!,
    cursorVisible: cursorVisible!,
    keypad: keypad!,
    cursorKeys: cursorKeys!,
    mouse: mouseModes.filter((_, index) => flags[6 + index]),
    historySize: historySize!,
    historyLimit: historyLimit!,
    pid: pid!,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end the sequence that sets the title
    title: title.replace(/[\x00-\x1f\x7f-\x9f]/g, ''),
  };
}

/**
 * Puts the characters of a screen where the tracker, which stands at its place in the stream, knows them to be, and has
 * it learn where it didn't.
 */
export function placed(screen: Screen, tracker: StreamTracker): Screen {
  const { dialect } = tracker;
  const { shown, hidden } = tracker.screens;
  const above = screen.history.length;
  const moved = tracker.cursor.tabsMoved || !areDefault(screen.tabs, screen.columns);
  const visible = { above, whole: above + screen.y, halves: shown.halves, moved };
  const covered = { halves: hidden.halves, moved };
  const { rows, guessed } = capturedRows(screen.captured, dialect, screen, visible);
  const behind = capturedRows(screen.capturedHidden, dialect, screen, covered);
  return {
    ...screen,
    rows: rows.slice(above),
    hidden: behind.rows,
    guessedTabs: moved && (guessed || behind.guessed),
  };
}
