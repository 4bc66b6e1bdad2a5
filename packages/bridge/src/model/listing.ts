/**
 * One line of commands that asks tmux for everything on the server, and the reader of its replies.
 *
 * Five commands on one line run in one go, so the listing is the state at one moment of the stream: what notifications
 * told before is in it, what they tell later happened after it.
 *
 * L1: each reply's line ends with the one field that may hold any text, so no name or title is taken for a field.
 * L2: a line that doesn't fit is passed over: a line feed in a title can't forge an entry, because the number fields
 *     of the first line of an entry are required, and the rest of the line has none.
 */
import type { CommandEncoder } from '@millrace/tmux-proto/commands';
import type { ClientInfo, PaneInfo, SessionInfo, WindowInfo, WindowLink } from './entities.ts';

/** Everything on the server at one moment. */
export interface Listing {
  /** Number of the session that this client is attached to. */
  readonly attached: number;
  readonly sessions: ReadonlyMap<number, SessionInfo>;
  readonly windows: ReadonlyMap<number, WindowInfo>;
  readonly panes: ReadonlyMap<number, PaneInfo>;
  /** By process id. */
  readonly clients: ReadonlyMap<number, ClientInfo>;
}

/** Replies that the line gets. */
export const listingReplies = 5;

/** Returns the line. */
export const listingLine = (encoder: CommandEncoder): string =>
  encoder.sequence(
    ['display-message', '-p', '#{session_id}'],
    ['list-sessions', '-F', '#{session_id} #{session_attached} #{session_name}'],
    [
      'list-windows',
      '-a',
      '-F',
      '#{session_id} #{window_index} #{window_active} #{window_id} #{window_width} #{window_height} ' +
        '#{window_zoomed_flag} #{?window_raw_flags,#{window_raw_flags},#{window_flags}} ' +
        '#{pane-border-status} #{window_layout} #{window_visible_layout} #{window_name}',
    ],
    [
      'list-panes',
      '-a',
      '-F',
      '#{pane_id} #{window_id} #{pane_index} #{pane_active} #{pane_left} #{pane_top} #{pane_width} ' +
        '#{pane_height} #{pane_dead} #{pane_mode} #{pane_title}',
    ],
    [
      'list-clients',
      '-F',
      '#{client_pid} #{client_control_mode} #{session_id} #{client_width} #{client_height} #{client_name}',
    ],
  );

/**
 * What a subscription watches: tmux compares it once a second and tells when it differs. It is never read, so it may
 * hold any text; a change only says that it is time for a listing. Names of windows aren't in it: every version notifies
 * of them, and by default they follow each command that runs.
 */
export const digestFormat: string =
  '#{S:#{session_id} #{session_name} #{session_attached}' +
  '#{W:|#{window_index} #{window_id} #{window_flags} #{=4:window_layout} #{pane-border-status}' +
  '#{P: #{pane_id} #{pane_active} #{pane_dead} #{pane_mode} #{pane_title}}};}';

const sessionLine = /^\$(\d+) (\d+) (.*)$/;
const windowLine =
  /^\$(\d+) (\d+) ([01]) @(\d+) (\d+) (\d+) ([01]?) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) (.*)$/;
const paneLine = /^%(\d+) @(\d+) (\d+) ([01]) (-?\d+) (-?\d+) (\d+) (\d+) ([01]?) ([^ ]*) (.*)$/;
const clientLine = /^(\d+) ([01]?) \$(\d+) (\d*) (\d*) (.*)$/;

const borderStatus = (text: string): WindowInfo['borderStatus'] =>
  text === 'top' || text === 'bottom' ? text : 'off';

function readSessions(lines: readonly string[]): Map<number, SessionInfo> {
  const sessions = new Map<number, SessionInfo>();
  for (const line of lines) {
    const match = sessionLine.exec(line);
    if (match === null) continue;
    sessions.set(Number(match[1]), { name: match[3]!, clients: Number(match[2]) });
  }
  return sessions;
}

function readPanes(lines: readonly string[]): Map<number, PaneInfo> {
  const panes = new Map<number, PaneInfo>();
  for (const line of lines) {
    const match = paneLine.exec(line);
    if (match === null) continue;
    const [id, window, index, active, x, y, columns, rows, dead] = match.slice(1, 10).map(Number);
    panes.set(id!, {
      window: window!,
      index: index!,
      x: x!,
      y: y!,
      columns: columns!,
      rows: rows!,
      active: active === 1,
      dead: dead === 1,
      mode: match[10]!,
      title: match[11]!,
    });
  }
  return panes;
}

function readWindows(
  lines: readonly string[],
  panes: ReadonlyMap<number, PaneInfo>,
): Map<number, WindowInfo> {
  const byWindow = new Map<number, number[]>();
  const active = new Map<number, number>();
  for (const [id, pane] of panes) {
    const ids = byWindow.get(pane.window!);
    if (ids === undefined) byWindow.set(pane.window!, [id]);
    else ids.push(id);
    if (pane.active) active.set(pane.window!, id);
  }
  const windows = new Map<number, WindowInfo>();
  const links = new Map<number, WindowLink[]>();
  for (const line of lines) {
    const match = windowLine.exec(line);
    if (match === null) continue;
    const id = Number(match[4]);
    const link: WindowLink = {
      session: Number(match[1]),
      index: Number(match[2]),
      current: match[3] === '1',
      flags: match[8]!,
    };
    const known = links.get(id);
    if (known !== undefined) {
      known.push(link);
      continue;
    }
    const own = [link];
    links.set(id, own);
    const activePane = active.get(id);
    windows.set(id, {
      name: match[12]!,
      columns: Number(match[5]),
      rows: Number(match[6]),
      zoomed: match[7] === '1',
      layout: match[10]!,
      visibleLayout: match[11]!,
      borderStatus: borderStatus(match[9]!),
      ...(activePane === undefined ? {} : { activePane }),
      panes: byWindow.get(id) ?? [],
      links: own,
    });
  }
  return windows;
}

function readClients(lines: readonly string[]): Map<number, ClientInfo> {
  const clients = new Map<number, ClientInfo>();
  for (const line of lines) {
    const match = clientLine.exec(line);
    if (match === null) continue;
    const [pid, control, session, columns, rows] = match.slice(1, 6).map(Number);
    clients.set(pid!, {
      name: match[6]!,
      pid: pid!,
      control: control === 1,
      session: session!,
      columns: columns!,
      rows: rows!,
    });
  }
  return clients;
}

/** Reads the replies to the line; undefined if they aren't those of a client that is attached. */
export function readListing(replies: readonly (readonly string[])[]): Listing | undefined {
  const [own, sessions, windows, panes, clients] = replies;
  const match = /^\$(\d+)$/.exec(own?.[0] ?? '');
  if (match === null || clients === undefined) return undefined;
  const paneInfos = readPanes(panes!);
  return {
    attached: Number(match[1]),
    sessions: readSessions(sessions!),
    windows: readWindows(windows!, paneInfos),
    panes: paneInfos,
    clients: readClients(clients),
  };
}
