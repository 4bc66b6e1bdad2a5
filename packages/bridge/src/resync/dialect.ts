/**
 * How versions of tmux differ in what they do with a pane's bytes and in what they tell of its screen. Each was seen
 * on real servers (3.3a, 3.5a, 3.6b, 3.7c, 3.8).
 */
import { versionOrder } from '@millrace/tmux-proto/commands';

/** What a version of tmux does. */
export interface Dialect {
  /** It keeps hyperlinks, and `capture-pane -e` tells them. */
  readonly tellsLinks: boolean;
  /** `capture-pane` tells every cell of a row, those that were only erased too, with their background. */
  readonly tellsErased: boolean;
  /** It keeps a tab as one cell over several columns, and `capture-pane` tells a tab, not how wide it is. */
  readonly keepsTabs: boolean;
  /** It prints U+FFFD in place of bytes that are no UTF-8; older ones print nothing. */
  readonly replacesInvalid: boolean;
  /** `REP` repeats any character; older ones repeat ASCII only. */
  readonly repeatsAll: boolean;
  /** Control sequences that it knows, by their marks and final byte: those end what `REP` would repeat. */
  readonly sequences: ReadonlySet<string>;
  /** It may have been built to take sixel pictures, and then moves the cursor below them. */
  readonly drawsSixel: boolean;
  /** ASCII printed over the right half of a wide character in the first column leaves its left half there. */
  readonly keepsFirst: boolean;
}

const linksSince = versionOrder('3.4');
const cellsSince = versionOrder('3.4');
const sixelSince = versionOrder('3.4');
const repeatsSince = versionOrder('3.5');
const charactersSince = versionOrder('3.6');

/** Control sequences by marks and final byte, and since when they are known; seen by what `REP` does after them. */
const sequencesSince: readonly (readonly [version: string, names: string])[] = [
  ['2.9', '@,A,B,C,D,E,F,G,H,J,K,L,M,P,S,T,X,Z,`,b,c,d,f,g,h,l,m,n,r,s,t,u'],
  ['2.9', '?h,?l,>c,>m,>n,>q, q'],
  ['3.4', '?S'],
  ['3.6', '?n,?$p'],
  ['3.7', '$p'],
];

function sequencesOf(order: number): Set<string> {
  const known = sequencesSince.filter(([version]) => order >= versionOrder(version));
  return new Set(known.flatMap(([, names]) => names.split(',')));
}

/** Returns what the tmux of this version does. */
export function dialectOf(version: string): Dialect {
  const order = versionOrder(version);
  return {
    tellsLinks: order >= linksSince,
    tellsErased: order >= cellsSince,
    keepsTabs: order >= charactersSince,
    replacesInvalid: order >= charactersSince,
    repeatsAll: order >= repeatsSince,
    sequences: sequencesOf(order),
    drawsSixel: order >= sixelSince,
    keepsFirst: order < charactersSince,
  };
}
