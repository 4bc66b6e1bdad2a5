/**
 * Mouse events as the bytes that a program asked for, by xterm's "Mouse Tracking".
 *
 * ```text
 *  which events   1000 press, release, wheel   1002 moves with a button too   1003 all moves
 *  how written    ESC [ M b x y                1005 b, x, y as UTF-8          1006 ESC [ < b ; x ; y M or m
 *  b              0 left, 1 middle, 2 right, 3 released (not 1006); +4 shift, +8 alt, +16 control, +32 move, +64 wheel
 * ```
 *
 * A position that a form can't express (above 223, with 1005 above 2015) is no event, rather than a wrong one.
 */
import { BridgeError, checkInteger } from '../errors.ts';

/** What the user did with the mouse, in cells of the pane. */
export interface MouseInput {
  /** What happened. A wheel has a `button` of `up` or `down`. */
  readonly type: 'press' | 'release' | 'move' | 'wheel';
  /** Which button; for a move the one that is held, if any. @defaultValue 'none' */
  readonly button?: 'left' | 'middle' | 'right' | 'up' | 'down' | 'none';
  /** Column of the pane, from 0. */
  readonly column: number;
  /** Row of the pane, from 0. */
  readonly row: number;
  /** Whether Shift is held. */
  readonly shift?: boolean;
  /** Whether Alt (Meta) is held. */
  readonly alt?: boolean;
  /** Whether Control is held. */
  readonly control?: boolean;
}

/** What the program in a pane asked for. */
export interface MouseMode {
  /** Which events it wants. */
  readonly events: 'none' | 'buttons' | 'drags' | 'all';
  /** How it wants them written. */
  readonly form: 'legacy' | 'utf8' | 'sgr';
}

const noMouse: MouseMode = { events: 'none', form: 'legacy' };

/** The format that asks for it. In a mode of tmux's own (copy mode) nothing reaches the program. */
export const mouseFormat: string =
  '#{pane_in_mode} #{mouse_all_flag} #{mouse_button_flag} #{mouse_standard_flag} #{mouse_sgr_flag} #{mouse_utf8_flag}';

/** Reads the answer. */
export function readMouseMode(line: string): MouseMode {
  const [inMode, all, drags, buttons, sgr, utf8] = line.split(' ').map((flag) => flag === '1');
  if (inMode) return noMouse;
  return {
    events: all ? 'all' : drags ? 'drags' : buttons ? 'buttons' : 'none',
    form: sgr ? 'sgr' : utf8 ? 'utf8' : 'legacy',
  };
}

const buttons = { left: 0, middle: 1, right: 2, up: 64, down: 65, none: 3 } as const;

function wanted({ type, button = 'none' }: MouseInput, { events }: MouseMode): boolean {
  if (events === 'none') return false;
  if (type !== 'move' || events === 'all') return true;
  return events === 'drags' && button !== 'none';
}

/**
 * Returns the bytes of a mouse event; undefined if the program didn't ask for it, or its form can't express it.
 *
 * @throws {BridgeError} `ERR_BRIDGE_ARGUMENT` for a position out of range or a button that doesn't fit
 */
export function encodeMouse(input: MouseInput, mode: MouseMode): Uint8Array | undefined {
  const { type, button = 'none', column, row, shift, alt, control } = input;
  checkInteger('column', column, 0, 9999);
  checkInteger('row', row, 0, 9999);
  const isWheel = button === 'up' || button === 'down';
  if (
    !(button in buttons) ||
    isWheel !== (type === 'wheel') ||
    (button === 'none' && type !== 'move')
  ) {
    throw new BridgeError(
      'ERR_BRIDGE_ARGUMENT',
      `no such mouse event: type=${String(type)}, button=${String(button)}`,
    );
  }
  if (!wanted(input, mode)) return undefined;
  const modifiers = (shift ? 4 : 0) + (alt ? 8 : 0) + (control ? 16 : 0);
  const code = buttons[button] + modifiers + (type === 'move' ? 32 : 0);
  if (mode.form === 'sgr') {
    const final = type === 'release' ? 'm' : 'M';
    return Buffer.from(`\x1b[<${code};${column + 1};${row + 1}${final}`);
  }
  const values = [type === 'release' ? 3 + modifiers : code, column + 1, row + 1];
  const most = mode.form === 'utf8' ? 2015 : 223;
  if (values.some((value) => value > most)) return undefined;
  const shifted = values.map((value) => value + 32);
  return mode.form === 'utf8'
    ? Buffer.from(`\x1b[M${String.fromCodePoint(...shifted)}`)
    : Buffer.from([0x1b, 0x5b, 0x4d, ...shifted]);
}
