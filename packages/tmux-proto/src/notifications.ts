/**
 * Notifications: lines from tmux that are no output and no reply.
 *
 * Grammar by line, from tmux's control-notify.c of 1.8 to 3.8. `$S` is a session, `@W` a window, `%P` a
 * pane; `name` may be empty and may hold spaces; versions are the first that send the line.
 *
 * N1: names and values are hostile text: decoded as UTF-8 with replacement, never interpreted.
 * N2: a line that doesn't fit its grammar is no notification; the parser reports it as malformed.
 */

/** `%window-add @W` (1.8): a window was linked to the attached session. */
export interface WindowAdd {
  /** Discriminates the union. */
  readonly type: 'window-add' | 'unlinked-window-add';
  /** Number of the window (the `1` of `@1`). */
  readonly window: number;
}

/** `%window-close @W` (1.8), `%unlinked-window-close @W` (2.0): the same event; see the guide. */
export interface WindowClose {
  /** Discriminates the union. */
  readonly type: 'window-close' | 'unlinked-window-close';
  /** Number of the window. */
  readonly window: number;
}

/** `%window-renamed @W name` (1.8), `%unlinked-window-renamed @W name` (2.0). */
export interface WindowRenamed {
  /** Discriminates the union. */
  readonly type: 'window-renamed' | 'unlinked-window-renamed';
  /** Number of the window. */
  readonly window: number;
  /** New name, may be empty; vis(3)-encoded by tmux since 2.6. */
  readonly name: string;
}

/** `%window-pane-changed @W %P` (2.5): the active pane of a window changed. */
export interface WindowPaneChanged {
  /** Discriminates the union. */
  readonly type: 'window-pane-changed';
  /** Number of the window. */
  readonly window: number;
  /** Number of the pane (the `1` of `%1`). */
  readonly pane: number;
}

/** `%pane-mode-changed %P` (2.5): a pane entered or left a mode (they look alike). */
export interface PaneModeChanged {
  /** Discriminates the union. */
  readonly type: 'pane-mode-changed';
  /** Number of the pane. */
  readonly pane: number;
}

/** `%pause %P`, `%continue %P` (3.2): flow control of a pane. */
export interface PaneFlow {
  /** Discriminates the union. */
  readonly type: 'pause' | 'continue';
  /** Number of the pane. */
  readonly pane: number;
}

/** `%layout-change @W layout [visible-layout flags]` (1.8; the last two since 2.2). */
export interface LayoutChange {
  /** Discriminates the union. */
  readonly type: 'layout-change';
  /** Number of the window. */
  readonly window: number;
  /** Layout string for `@millrace/tmux-proto/layout`; empty above about 390 panes. */
  readonly layout: string;
  /** Layout as drawn (zoomed), `undefined` before tmux 2.2. */
  readonly visibleLayout: string | undefined;
  /** Window flags such as `*` or `*Z`, `undefined` before tmux 2.2. */
  readonly flags: string | undefined;
}

/** `%session-changed $S name` (1.8): this client is now attached to that session. */
export interface SessionChanged {
  /** Discriminates the union. */
  readonly type: 'session-changed';
  /** Number of the session (the `0` of `$0`). */
  readonly session: number;
  /** Name of the session. */
  readonly name: string;
}

/** `%session-renamed $S name` (1.8). */
export interface SessionRenamed {
  /** Discriminates the union. */
  readonly type: 'session-renamed';
  /** Number of the session. */
  readonly session: number;
  /** New name. */
  readonly name: string;
}

/** `%sessions-changed` (1.8): a session was created or destroyed. */
export interface SessionsChanged {
  /** Discriminates the union. */
  readonly type: 'sessions-changed';
}

/** `%session-window-changed $S @W` (2.5): a session's current window changed. */
export interface SessionWindowChanged {
  /** Discriminates the union. */
  readonly type: 'session-window-changed';
  /** Number of the session. */
  readonly session: number;
  /** Number of the window. */
  readonly window: number;
}

/** `%client-session-changed client $S name` (2.5): another client changed its session. */
export interface ClientSessionChanged {
  /** Discriminates the union. */
  readonly type: 'client-session-changed';
  /** Terminal path or `client-PID`. */
  readonly client: string;
  /** Number of the session. */
  readonly session: number;
  /** Name of the session. */
  readonly name: string;
}

/** `%client-detached client` (3.2). */
export interface ClientDetached {
  /** Discriminates the union. */
  readonly type: 'client-detached';
  /** Terminal path or `client-PID`. */
  readonly client: string;
}

/** `%paste-buffer-changed name`, `%paste-buffer-deleted name` (3.4). */
export interface PasteBuffer {
  /** Discriminates the union. */
  readonly type: 'paste-buffer-changed' | 'paste-buffer-deleted';
  /** Name of the buffer: never put it into a command unquoted. */
  readonly name: string;
}

/** `%subscription-changed name $S @W|- index|- %P|- ... : value` (3.2). */
export interface SubscriptionChanged {
  /** Discriminates the union. */
  readonly type: 'subscription-changed';
  /** Name given to `refresh-client -B`; may be empty or hold spaces. */
  readonly name: string;
  /** Number of the session. */
  readonly session: number;
  /** Number of the window, or `undefined` where tmux wrote `-`. */
  readonly window: number | undefined;
  /** Index of the window in its session, or `undefined`. */
  readonly windowIndex: number | undefined;
  /** Number of the pane, or `undefined`. */
  readonly pane: number | undefined;
  /** The expanded format up to the end of the line; a value with line breaks goes on as stray lines. */
  readonly value: string;
}

/** `%config-error text` (3.4); may precede the first reply. */
export interface ConfigError {
  /** Discriminates the union. */
  readonly type: 'config-error';
  /** What tmux says. */
  readonly text: string;
}

/** `%message text` (3.4): a `display-message` for this client. */
export interface Message {
  /** Discriminates the union. */
  readonly type: 'message';
  /** What tmux says. */
  readonly text: string;
}

/** Every notification but output, replies and `%exit`, which have handler methods of their own. */
export type Notification =
  | WindowAdd
  | WindowClose
  | WindowRenamed
  | WindowPaneChanged
  | PaneModeChanged
  | PaneFlow
  | LayoutChange
  | SessionChanged
  | SessionRenamed
  | SessionsChanged
  | SessionWindowChanged
  | ClientSessionChanged
  | ClientDetached
  | PasteBuffer
  | SubscriptionChanged
  | ConfigError
  | Message;

const ID = '(\\d{1,10})';
const WINDOW = new RegExp(`^@${ID}$`);
const WINDOW_NAME = new RegExp(`^@${ID} (.*)$`, 's');
const WINDOW_PANE = new RegExp(`^@${ID} %${ID}$`);
const PANE = new RegExp(`^%${ID}$`);
const LAYOUT = new RegExp(`^@${ID} ([^ ]*)(?: ([^ ]*)(?: ([^ ]*))?)?$`);
const SESSION_NAME = new RegExp(`^\\$${ID} (.*)$`, 's');
const SESSION_WINDOW = new RegExp(`^\\$${ID} @${ID}$`);
const CLIENT_SESSION = new RegExp(`^(.+?) \\$${ID} (.*)$`, 's');
// The first place where the rest fits: a name may hold spaces and even " : ".
const SUBSCRIPTION = new RegExp(
  `^(.*?) \\$${ID} (?:@${ID}|-) (?:(\\d{1,10})|-) (?:%${ID}|-)(?: .*?)? : (.*)$`,
  's',
);
const optional = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number(digits);

type Build = (rest: string, type: never) => Notification | undefined;

const window: Build = (rest, type) => {
  const match = WINDOW.exec(rest);
  return match ? ({ type, window: Number(match[1]) } as WindowAdd | WindowClose) : undefined;
};
const windowName: Build = (rest, type) => {
  const match = WINDOW_NAME.exec(rest);
  return match ? ({ type, window: Number(match[1]), name: match[2]! } as WindowRenamed) : undefined;
};
const pane: Build = (rest, type) => {
  const match = PANE.exec(rest);
  return match ? ({ type, pane: Number(match[1]) } as PaneFlow | PaneModeChanged) : undefined;
};
const sessionName: Build = (rest, type) => {
  const match = SESSION_NAME.exec(rest);
  return match
    ? ({ type, session: Number(match[1]), name: match[2]! } as SessionChanged | SessionRenamed)
    : undefined;
};
const text: Build = (rest, type) => ({ type, text: rest }) as ConfigError | Message;
const buffer: Build = (rest, type) => ({ type, name: rest }) as PasteBuffer;

const GRAMMAR = new Map<string, Build>([
  ['window-add', window],
  ['unlinked-window-add', window],
  ['window-close', window],
  ['unlinked-window-close', window],
  ['window-renamed', windowName],
  ['unlinked-window-renamed', windowName],
  [
    'window-pane-changed',
    (rest, type) => {
      const match = WINDOW_PANE.exec(rest);
      return match
        ? ({ type, window: Number(match[1]), pane: Number(match[2]) } as WindowPaneChanged)
        : undefined;
    },
  ],
  ['pane-mode-changed', pane],
  ['pause', pane],
  ['continue', pane],
  [
    'layout-change',
    (rest, type) => {
      const match = LAYOUT.exec(rest);
      if (!match) return undefined;
      const [, id, layout, visibleLayout, flags] = match;
      return { type, window: Number(id), layout: layout!, visibleLayout, flags } as LayoutChange;
    },
  ],
  ['session-changed', sessionName],
  ['session-renamed', sessionName],
  ['sessions-changed', (rest, type) => (rest === '' ? ({ type } as SessionsChanged) : undefined)],
  [
    'session-window-changed',
    (rest, type) => {
      const match = SESSION_WINDOW.exec(rest);
      return match
        ? ({ type, session: Number(match[1]), window: Number(match[2]) } as SessionWindowChanged)
        : undefined;
    },
  ],
  [
    'client-session-changed',
    (rest, type) => {
      const match = CLIENT_SESSION.exec(rest);
      if (!match) return undefined;
      const [, client, session, name] = match;
      return { type, client, session: Number(session), name } as ClientSessionChanged;
    },
  ],
  [
    'client-detached',
    (rest, type) => (rest === '' ? undefined : ({ type, client: rest } as ClientDetached)),
  ],
  ['paste-buffer-changed', buffer],
  ['paste-buffer-deleted', buffer],
  [
    'subscription-changed',
    (rest, type) => {
      const match = SUBSCRIPTION.exec(rest);
      if (!match) return undefined;
      const [, name, session, windowId, index, paneId, value] = match;
      return {
        type,
        name,
        session: Number(session),
        window: optional(windowId),
        windowIndex: optional(index),
        pane: optional(paneId),
        value,
      } as SubscriptionChanged;
    },
  ],
  ['config-error', text],
  ['message', text],
]);

/** Words of the lines that the parser itself understands. */
const FRAME = new Set(['begin', 'end', 'error', 'output', 'extended-output', 'exit']);

/** Words that only control mode writes at the start of a line; used to recognise a stream. */
export const isKnownWord = (word: string): boolean => GRAMMAR.has(word) || FRAME.has(word);

/** What {@link parseNotification} found. */
export type NotificationResult = Notification | 'unknown' | 'malformed';

/**
 * Parses one notification line.
 *
 * Cost: one object and a few strings: notifications are rare.
 * @param line - whole line without its end, for example `%window-add @1`
 * @returns the notification, `'unknown'` for a name that isn't in the table, `'malformed'` by N2
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { parseNotification } from '@millrace/tmux-proto';
 *
 * assert.deepEqual(parseNotification('%pause %3'), { type: 'pause', pane: 3 });
 * assert.equal(parseNotification('%pause'), 'malformed');
 * assert.equal(parseNotification('%something-new 1'), 'unknown');
 * ```
 */
export function parseNotification(line: string): NotificationResult {
  const space = line.indexOf(' ');
  const name = space < 0 ? line.slice(1) : line.slice(1, space);
  const build = GRAMMAR.get(name);
  if (build === undefined) return FRAME.has(name) ? 'malformed' : 'unknown';
  return build(space < 0 ? '' : line.slice(space + 1), name as never) ?? 'malformed';
}
