/** What each version of tmux understands, as far as control mode needs to know. */

/** A property of tmux that came with a version. */
export type Feature =
  /** `refresh-client -C W,H`. */
  | 'client-size'
  /** Third field of the guards. */
  | 'guard-flags'
  /** Paste buffers with names. */
  | 'named-buffers'
  /** `refresh-client -C WxH` instead of `W,H`. */
  | 'client-size-x'
  /** `"\ooo"` in command arguments: any byte but NUL can be sent. */
  | 'octal-quoting'
  /** `send-keys -H`. */
  | 'send-keys-hex'
  /** `send-keys -l` sends bytes that are no UTF-8, too; older ones drop them. */
  | 'literal-bytes'
  /** `refresh-client -f`: `no-output`, `pause-after`, `wait-exit`. */
  | 'client-flags'
  /** `%extended-output`, `%pause`, `%continue`, `refresh-client -A`. */
  | 'flow-control'
  /** `refresh-client -B`. */
  | 'subscriptions'
  /** `show-buffer` ends its last line: no guard is glued to text. */
  | 'clean-guards'
  /** `refresh-client -C @W:WxH`. */
  | 'window-size'
  /** `%message`, `%config-error`, `%paste-buffer-changed`. */
  | 'messages'
  /** `refresh-client -r`: report a terminal's answers. */
  | 'report'
  /** `refresh-client -A %P:off` and `on` while output is queued, without hanging the server. */
  | 'safe-pane-off'
  /** Panes that float over the layout. */
  | 'floating-panes';

const SINCE: Readonly<Record<Feature, string>> = {
  'client-size': '1.8',
  'guard-flags': '1.9',
  'named-buffers': '2.0',
  'client-size-x': '2.9',
  'octal-quoting': '3.0',
  'send-keys-hex': '3.0a',
  'literal-bytes': '3.2',
  'client-flags': '3.2',
  'flow-control': '3.2',
  subscriptions: '3.2',
  'clean-guards': '3.2',
  'window-size': '3.3',
  messages: '3.4',
  report: '3.5',
  'safe-pane-off': '3.7',
  'floating-panes': '3.7',
};

/**
 * Returns a number that orders versions of tmux: `3.3a` lies between `3.3` and `3.4`.
 *
 * @param version - as `tmux -V` or `#{version}` gives it: `3.3a`, `tmux 3.5`, `next-3.8`; `master` and
 * whatever else has no number counts as newer than all
 * @returns an integer; compare, don't store
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { versionOrder } from '@millrace/tmux-proto/commands';
 *
 * assert(versionOrder('3.3') < versionOrder('3.3a'));
 * assert(versionOrder('tmux 3.3a') < versionOrder('next-3.8'));
 * ```
 */
export function versionOrder(version: string): number {
  const match = /(\d+)\.(\d+)([a-z]?)/.exec(version);
  if (match === null) return Number.MAX_SAFE_INTEGER;
  const letter = match[3] === '' ? 0 : match[3]!.charCodeAt(0) - 0x60;
  return Number(match[1]) * 1_000_000 + Number(match[2]) * 100 + letter;
}

/**
 * Returns whether a version of tmux has a feature.
 *
 * @param version - see {@link versionOrder}
 * @param feature - one of the table
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { supports } from '@millrace/tmux-proto/commands';
 *
 * assert.equal(supports('3.1c', 'flow-control'), false);
 * assert.equal(supports('3.3a', 'flow-control'), true);
 * ```
 */
export const supports = (version: string, feature: Feature): boolean =>
  versionOrder(version) >= versionOrder(SINCE[feature]);

/** Returns the first version that has a feature. */
export const since = (feature: Feature): string => SINCE[feature];
