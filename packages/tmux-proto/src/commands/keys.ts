/** Names of keys for `send-keys`, from what a browser's keyboard event says. */

/** Keys whose name in tmux differs from `KeyboardEvent.key`. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['ArrowUp', 'Up'],
  ['ArrowDown', 'Down'],
  ['ArrowLeft', 'Left'],
  ['ArrowRight', 'Right'],
  ['PageUp', 'PPage'],
  ['PageDown', 'NPage'],
  ['Home', 'Home'],
  ['End', 'End'],
  ['Insert', 'IC'],
  ['Delete', 'DC'],
  ['Backspace', 'BSpace'],
  ['Escape', 'Escape'],
  ['Enter', 'Enter'],
  ['Tab', 'Tab'],
  [' ', 'Space'],
  ...Array.from({ length: 12 }, (_, index): [string, string] => [`F${index + 1}`, `F${index + 1}`]),
]);

/** The modifiers of a keyboard event. */
export interface KeyModifiers {
  /** Control. */
  readonly ctrlKey?: boolean;
  /** Alt, Option or Meta: tmux's `M-`. */
  readonly altKey?: boolean;
  /** Shift; ignored where it is part of the character. */
  readonly shiftKey?: boolean;
}

/**
 * Returns tmux's name for a key, for {@link CommandEncoder.sendKeys}.
 *
 * @param key - as `KeyboardEvent.key`: `ArrowUp`, `F5`, `a`
 * @param modifiers - of the event; a `KeyboardEvent` itself will do
 * @returns `undefined` for what is no key to send: a modifier alone, a dead key, an unknown name
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { keyName } from '@millrace/tmux-proto/commands';
 *
 * assert.equal(keyName('ArrowUp', { ctrlKey: true }), 'C-Up');
 * assert.equal(keyName('Tab', { shiftKey: true }), 'BTab');
 * assert.equal(keyName('x', { altKey: true }), 'M-x');
 * assert.equal(keyName('Shift'), undefined);
 * ```
 */
export function keyName(key: string, modifiers: KeyModifiers = {}): string | undefined {
  const { ctrlKey = false, altKey = false, shiftKey = false } = modifiers;
  const special = NAMES.get(key);
  const isCharacter = special === undefined && [...key].length === 1 && key >= ' ';
  if (special === undefined && !isCharacter) return undefined;
  const prefix = `${ctrlKey ? 'C-' : ''}${altKey ? 'M-' : ''}`;
  if (special === 'Tab' && shiftKey) return `${prefix}BTab`;
  if (isCharacter) return prefix + (ctrlKey ? key.toLowerCase() : key);
  return `${prefix}${shiftKey && special !== 'Space' ? 'S-' : ''}${special}`;
}
