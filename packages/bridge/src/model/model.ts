/**
 * What there is on the server, kept current by tmux's notifications: sessions, windows, layouts, panes, clients.
 *
 * ```text
 * notification that says all (renamed, layout, active …) ──▶ applied at once ─────────┐
 * notification that says that something changed ─┐                                    ├─▶ changes
 * subscription: the digest of everything differs ┴─▶ one listing under way, one due ──┘
 * ```
 *
 * M1: a listing is the state at its own place of the stream; notifications behind it are applied on top of it.
 * M2: at most one listing is under way; what asks for one meanwhile gets one more, however much asks.
 * M3: nothing polls. tmux before 3.2 has no subscriptions: there, titles and what happens in other sessions without
 *     a notification are seen at the next listing.
 * M4: a change is told after the whole listing has been applied: who reads the model sees one moment.
 */
import type { LayoutChange, Notification } from '@millrace/tmux-proto';
import { Layout } from '@millrace/tmux-proto/layout';
import {
  type ClientInfo,
  changeOf,
  fieldsChanged,
  type ModelChange,
  merge,
  type PaneInfo,
  type SessionInfo,
  type WindowInfo,
} from './entities.ts';
import { type Listing, readListing } from './listing.ts';

/** What the model needs of its session. */
export interface ModelHost {
  /** Asks tmux for a listing, if there is anybody to ask; `replied` gets undefined if that failed. */
  list(replied: (replies: readonly (readonly string[])[] | undefined) => void): void;
  /**
   * Learns what changed.
   *
   * @param changes - may be empty after a listing
   * @param listed - whether a listing was applied, so that what isn't in the model is gone
   */
  changed(changes: readonly ModelChange[], listed: boolean): void;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** A window's layout; an empty one if tmux gave none or something unreadable. */
function parseLayout(text: string): Layout {
  try {
    return Layout.parse(text);
  } catch {
    return Layout.parse('');
  }
}

/** The state of a tmux server, as far as a client is told. */
export class Model {
  readonly #host: ModelHost;
  readonly #sessions = new Map<number, SessionInfo>();
  readonly #windows = new Map<number, WindowInfo>();
  readonly #panes = new Map<number, PaneInfo>();
  readonly #clients = new Map<number, ClientInfo>();
  readonly #layouts = new WeakMap<WindowInfo, Layout>();
  #attached: number | undefined;
  #connected = false;
  #listing = false;
  #due = false;
  /** Who waits for the listing under way, and for the next one. */
  #asking: Waiting[] = [];
  #waiting: Waiting[] = [];
  /** Number of the connection: a listing counts in its own only. */
  #round = 0;

  /** @internal */
  constructor(host: ModelHost) {
    this.#host = host;
  }

  /** Number of the session that this client is attached to; undefined before that is known. */
  get attached(): number | undefined {
    return this.#attached;
  }

  /** The server's sessions by number. */
  get sessions(): ReadonlyMap<number, SessionInfo> {
    return this.#sessions;
  }

  /** The server's windows by number, those of other sessions too. */
  get windows(): ReadonlyMap<number, WindowInfo> {
    return this.#windows;
  }

  /** The server's panes by number, those of other sessions too. */
  get panes(): ReadonlyMap<number, PaneInfo> {
    return this.#panes;
  }

  /** The clients that are attached to the server, this one included, by process id. */
  get clients(): ReadonlyMap<number, ClientInfo> {
    return this.#clients;
  }

  /**
   * Returns a window's layout, ready for questions: cells, panes, what is at a place.
   *
   * @param window - number of the window
   * @param options.visible - as drawn, so the one pane of a zoomed window. @defaultValue true
   * @returns an empty layout if the window or its layout isn't known
   */
  layout(window: number, options: { readonly visible?: boolean } = {}): Layout {
    const info = this.#windows.get(window);
    if (info === undefined) return parseLayout('');
    if (options.visible === false) return parseLayout(info.layout);
    let layout = this.#layouts.get(info);
    if (layout === undefined) {
      layout = parseLayout(info.visibleLayout);
      this.#layouts.set(info, layout);
    }
    return layout;
  }

  /**
   * Returns the numbers of a session's windows in the order of their indices, with repeats if one is linked twice.
   *
   * @param session - number of the session. @defaultValue the attached one
   */
  windowsOf(session: number | undefined = this.#attached): number[] {
    const found: [number, number][] = [];
    for (const [id, { links }] of this.#windows) {
      for (const link of links) if (link.session === session) found.push([link.index, id]);
    }
    return found.sort((one, other) => one[0] - other[0]).map(([, id]) => id);
  }

  /** Number of a session's current window, if known. */
  currentWindow(session: number | undefined = this.#attached): number | undefined {
    for (const [id, { links }] of this.#windows) {
      if (links.some((link) => link.session === session && link.current)) return id;
    }
    return undefined;
  }

  /** Number of the pane that keys go to: the active pane of the attached session's current window, if known. */
  get activePane(): number | undefined {
    const window = this.currentWindow();
    return window === undefined ? undefined : this.#windows.get(window)?.activePane;
  }

  /**
   * Asks for a listing; resolves when it is applied.
   * @internal
   */
  refresh(): Promise<void> {
    this.#connected = true;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#want();
    });
  }

  /**
   * Learns that something changed, but not what.
   * @internal
   */
  outdated(): void {
    this.#want();
  }

  /**
   * Forgets a listing under way: its connection is over, or another begins.
   * @internal
   */
  disconnected(): void {
    this.#connected = this.#listing = this.#due = false;
    this.#round++;
    const waiting = [...this.#asking.splice(0), ...this.#waiting.splice(0)];
    for (const { reject } of waiting) reject(new Error('the connection ended'));
  }

  #want(): void {
    if (!this.#connected) return; // what comes while it is set up is in the first listing
    if (this.#listing) {
      this.#due = true; // M2
      return;
    }
    this.#listing = true;
    this.#asking = this.#waiting.splice(0);
    const round = this.#round;
    this.#host.list((replies) => {
      if (round === this.#round) this.#listed(replies);
    });
  }

  #listed(replies: readonly (readonly string[])[] | undefined): void {
    this.#listing = false;
    const listing = replies === undefined ? undefined : readListing(replies);
    if (listing !== undefined) this.#apply(listing);
    for (const { resolve, reject } of this.#asking.splice(0)) {
      if (listing === undefined) reject(new Error('tmux gave no listing'));
      else resolve();
    }
    if (this.#due) {
      this.#due = false;
      this.#want();
    }
  }

  #apply(listing: Listing): void {
    this.#attached = listing.attached;
    const changes = [
      ...merge('session', this.#sessions, listing.sessions),
      ...merge('window', this.#windows, listing.windows),
      ...merge('pane', this.#panes, listing.panes),
      ...merge('client', this.#clients, listing.clients),
    ];
    this.#host.changed(changes, true); // M4
  }

  /** Takes a notification. @internal */
  notified(notification: Notification): void {
    switch (notification.type) {
      case 'layout-change':
        this.#layoutChanged(notification);
        break;
      case 'window-renamed':
      case 'unlinked-window-renamed':
        this.#tell(this.#setWindow(notification.window, { name: notification.name }));
        break;
      case 'session-renamed':
        this.#renamed(notification.session, notification.name);
        break;
      case 'window-pane-changed':
        this.#activated(notification.window, notification.pane);
        break;
      case 'session-window-changed':
        this.#selected(notification.session, notification.window);
        break;
      case 'session-changed':
        this.#attached = notification.session;
        this.#want();
        break;
      case 'window-add':
      case 'unlinked-window-add':
      case 'window-close':
      case 'unlinked-window-close':
      case 'sessions-changed':
      case 'pane-mode-changed':
      case 'client-session-changed':
      case 'client-detached':
        this.#want();
        break;
      default:
    }
  }

  /** Changes fields of a window; asks for a listing if it isn't known. */
  #setWindow(id: number, fields: Partial<WindowInfo>): ModelChange[] {
    const before = this.#windows.get(id);
    if (before === undefined) {
      this.#want();
      return [];
    }
    const after = { ...before, ...fields };
    const changed = fieldsChanged(before, after);
    if (changed.length === 0) return [];
    this.#windows.set(id, after);
    return [{ kind: 'window', id, before, after, fields: changed }];
  }

  /** Tells changes that a notification brought (M4). */
  #tell(changes: readonly ModelChange[]): void {
    if (changes.length > 0) this.#host.changed(changes, false);
  }

  #renamed(id: number, name: string): void {
    const before = this.#sessions.get(id);
    if (before === undefined) this.#want();
    else if (before.name !== name) {
      const after = { ...before, name };
      this.#sessions.set(id, after);
      this.#tell([{ kind: 'session', id, before, after, fields: ['name'] }]);
    }
  }

  #activated(window: number, pane: number): void {
    if (this.#panes.get(pane)?.window !== window) {
      this.#want(); // told before the layout that it is in
      return;
    }
    const changes: ModelChange[] = [];
    for (const [id, before] of this.#panes) {
      const active = id === pane;
      if (before.window !== window || before.active === active) continue;
      const after = { ...before, active };
      this.#panes.set(id, after);
      changes.push({ kind: 'pane', id, before, after, fields: ['active'] });
    }
    changes.push(...this.#setWindow(window, { activePane: pane }));
    this.#tell(changes);
  }

  #selected(session: number, window: number): void {
    const changes: ModelChange[] = [];
    for (const [id, { links }] of this.#windows) {
      if (!links.some((link) => link.session === session)) continue;
      const now = links.map((link) =>
        link.session === session ? { ...link, current: id === window } : link,
      );
      changes.push(...this.#setWindow(id, { links: now }));
    }
    this.#tell(changes);
    this.#want(); // the flags, and which it was of two links to the same window
  }

  #layoutChanged({ window, layout, visibleLayout = layout, flags }: LayoutChange): void {
    const before = this.#windows.get(window);
    const tiled = parseLayout(layout);
    const visible = visibleLayout === layout ? tiled : parseLayout(visibleLayout);
    const panes = tiled.panes();
    const known =
      before === undefined
        ? ''
        : (before.layout === layout ? tiled : parseLayout(before.layout)).panes().join();
    const root = tiled.count === 0 ? undefined : tiled.cell(0);
    const after: WindowInfo = {
      ...(before ?? { borderStatus: 'off', links: [] }),
      ...(root === undefined ? {} : { columns: root.width, rows: root.height }),
      layout,
      visibleLayout,
      zoomed: flags?.includes('Z') ?? false,
      panes: before !== undefined && known === panes.join() ? before.panes : panes,
    };
    this.#windows.set(window, after);
    this.#tell([
      ...changeOf('window', window, before, after),
      ...this.#placed(window, tiled, visible, after.borderStatus),
    ]);
    // Panes that are new, gone or in another order have titles and indices to ask for.
    if (before === undefined || known !== panes.join()) this.#want();
  }

  /** Takes the panes' places from a layout. A zoomed pane has the size that is drawn; those that it hides keep theirs. */
  #placed(
    window: number,
    tiled: Layout,
    visible: Layout,
    borderStatus: WindowInfo['borderStatus'],
  ): ModelChange[] {
    return tiled.panes().flatMap((id) => {
      const drawn = visible.find(id) >= 0 ? visible : tiled;
      const { x, y, width: columns, height: rows } = drawn.rectangle(id, borderStatus)!;
      const before = this.#panes.get(id);
      const after: PaneInfo = { ...before, window, x, y, columns, rows };
      this.#panes.set(id, after);
      return changeOf('pane', id, before, after);
    });
  }
}
