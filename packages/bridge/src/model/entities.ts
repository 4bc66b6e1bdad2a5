/** What there is on a tmux server, as plain data: sessions, windows, panes, clients, and what changed of them. */

/** A session of the server. */
export interface SessionInfo {
  /** Its name, as tmux stores it (control characters are vis(3)-encoded). */
  readonly name: string;
  /** Clients that are attached to it. */
  readonly clients: number;
}

/** A place of a window in a session: a window may have several, in one session or in many. */
export interface WindowLink {
  /** Number of the session (the `1` of `$1`). */
  readonly session: number;
  /** Index of the window in it. */
  readonly index: number;
  /** Whether it is the session's current window. */
  readonly current: boolean;
  /** tmux's flags: any of `*` current, `-` last, `#` activity, `!` bell, `~` silence, `Z` zoomed, `M` marked. */
  readonly flags: string;
}

/** A window of the server. */
export interface WindowInfo {
  /** Its name, as tmux stores it; may be empty. Hostile text: programs can set it. */
  readonly name?: string;
  /** Width (columns). */
  readonly columns?: number;
  /** Height (rows). */
  readonly rows?: number;
  /** Whether one pane fills the window. */
  readonly zoomed: boolean;
  /** Layout string; empty if tmux's is too long for it (above about 390 panes). */
  readonly layout: string;
  /** Layout as drawn: differs while a pane is zoomed. */
  readonly visibleLayout: string;
  /** Where panes have a line with their title: it takes a row of panes at that edge. */
  readonly borderStatus: 'off' | 'top' | 'bottom';
  /** Number of its active pane (the `1` of `%1`). */
  readonly activePane?: number;
  /** Numbers of its panes, in the order of their indices. */
  readonly panes: readonly number[];
  /** Where it is linked to, sessions in their order. */
  readonly links: readonly WindowLink[];
}

/** What is known of a pane. A recording tells less than a live tmux. */
export interface PaneInfo {
  /** Number of its window (the `1` of `@1`), if known. */
  readonly window?: number;
  /** Its index in the window. */
  readonly index?: number;
  /** Its left edge in the window (columns). */
  readonly x?: number;
  /** Its top edge in the window (rows). */
  readonly y?: number;
  /** Its width, if known. */
  readonly columns?: number;
  /** Its height, if known. */
  readonly rows?: number;
  /** Whether it is its window's active pane. */
  readonly active?: boolean;
  /** Whether its program has ended and the pane is kept. */
  readonly dead?: boolean;
  /** The mode that it is in: `copy-mode`, `tree-mode` …; empty for none. Keys go to the mode, not to the program. */
  readonly mode?: string;
  /** Its title. Hostile text: programs set it. */
  readonly title?: string;
}

/** A client that is attached to the server. */
export interface ClientInfo {
  /** Its terminal's path, or `client-PID`. */
  readonly name: string;
  /** Process id. */
  readonly pid: number;
  /** Whether it speaks control mode. One that doesn't makes tmux drop what slow control clients lag behind. */
  readonly control: boolean;
  /** Number of its session. */
  readonly session: number;
  /** Its width (columns), 0 if it has told none. */
  readonly columns: number;
  /** Its height (rows), 0 if it has told none. */
  readonly rows: number;
}

/** What of something changed: it is new if `before` is missing, gone if `after` is. */
export interface Change<Kind extends string, Info> {
  /** What kind of thing it is. */
  readonly kind: Kind;
  /** Its number; for a client its process id. */
  readonly id: number;
  /** As it was. */
  readonly before?: Info;
  /** As it is. */
  readonly after?: Info;
  /** The fields that differ; all of them if it is new or gone. */
  readonly fields: readonly (keyof Info & string)[];
}

/** A change of the model. */
export type ModelChange =
  | Change<'session', SessionInfo>
  | Change<'window', WindowInfo>
  | Change<'pane', PaneInfo>
  | Change<'client', ClientInfo>;

const same = (one: unknown, other: unknown): boolean =>
  one === other || (typeof one === 'object' && JSON.stringify(one) === JSON.stringify(other));

/** Returns the names of the fields that differ. */
export function fieldsChanged<Info extends object>(
  before: Info,
  after: Info,
): (keyof Info & string)[] {
  const names = Object.keys(before) as (keyof Info & string)[];
  for (const name of Object.keys(after) as (keyof Info & string)[]) {
    if (!Object.hasOwn(before, name)) names.push(name);
  }
  return names.filter((name) => !same(before[name], after[name]));
}

/** Returns the change from one info to another, or nothing if they are equal. */
export function changeOf<Kind extends ModelChange['kind'], Info extends object>(
  kind: Kind,
  id: number,
  before: Info | undefined,
  after: Info,
): Change<Kind, Info>[] {
  if (before === undefined) {
    return [{ kind, id, after, fields: Object.keys(after) as (keyof Info & string)[] }];
  }
  const fields = fieldsChanged(before, after);
  return fields.length === 0 ? [] : [{ kind, id, before, after, fields }];
}

/**
 * Makes a map of infos equal to another one, keeping the objects of what didn't change.
 *
 * @returns what changed
 */
export function merge<Kind extends ModelChange['kind'], Info extends object>(
  kind: Kind,
  map: Map<number, Info>,
  next: ReadonlyMap<number, Info>,
): Change<Kind, Info>[] {
  const changes: Change<Kind, Info>[] = [];
  for (const [id, before] of map) {
    if (next.has(id)) continue;
    map.delete(id);
    changes.push({ kind, id, before, fields: Object.keys(before) as (keyof Info & string)[] });
  }
  for (const [id, after] of next) {
    const changed = changeOf(kind, id, map.get(id), after);
    if (changed.length > 0) map.set(id, after);
    changes.push(...changed);
  }
  return changes;
}
