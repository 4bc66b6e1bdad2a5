/**
 * Quoting: one argument of a tmux command line from any bytes, so that it stays one argument.
 *
 * Found by sending every byte in four quotings to six versions of tmux:
 *
 * Q1: tmux 3.0 and later read `\ooo` in double quotes as that byte; so everything that isn't plainly harmless
 *     is written so. No raw control byte, quote, backslash, `$`, `~` or byte over 0x7e is ever sent.
 * Q2: before 3.0 there is no octal form: `\e \r \n \t` and a backslash before `" \ $ ;`; bytes that would
 *     need more (other controls, invalid UTF-8) are refused.
 * Q3: a bare word (no quotes) consists of harmless characters and starts with none that tmux reads
 *     specially: `%12` is bare, `%if` is not.
 * Q4: the result never holds LF or CR: a line break would start the next command.
 * Q5: NUL can't be sent in any way.
 */
import { CommandError } from './errors.ts';

/** One argument: text (sent as UTF-8), bytes, or a number. */
export type Argument = string | number | Uint8Array;

const BARE = /^(?:[A-Za-z0-9_./:@+-][A-Za-z0-9_./:,@+-]*|%\d+)$/; // Q3
/** Harmless inside double quotes in every version: no `"`, `$`, `\`, `~`, and no `;` (Q2). */
const HARMLESS = new Uint8Array(256);
for (const char of " !#%&'()*+,-./:<=>?@[]^_`{|}") HARMLESS[char.charCodeAt(0)] = 1;
for (let byte = 0x30; byte <= 0x39; byte++) HARMLESS[byte] = 1;
for (let byte = 0x41; byte <= 0x5a; byte++) HARMLESS[byte] = HARMLESS[byte + 32] = 1;

const encoder = new TextEncoder();

/** Q1, each byte's form. */
const OCTAL: string[] = Array.from({ length: 256 }, (_, byte) =>
  HARMLESS[byte] === 1 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`,
);

const refuse = (byte: number, why: string): never => {
  throw new CommandError(
    'ERR_TMUX_ENCODE',
    `argument holds byte 0x${byte.toString(16).padStart(2, '0')}, ${why}`,
  );
};

/** Returns the bytes of an argument. */
export const bytesOf = (argument: Argument): Uint8Array =>
  typeof argument === 'object' ? argument : encoder.encode(String(argument));

/** Quotes by Q1: for tmux 3.0 and later; any byte but NUL. Always ASCII. */
export function quoteOctal(argument: Argument): string {
  if (typeof argument !== 'object') {
    const word = String(argument);
    if (BARE.test(word)) return word;
  }
  const bytes = bytesOf(argument);
  let quoted = '"';
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    if (byte === 0) refuse(0, 'which no version of tmux accepts'); // Q5
    quoted += OCTAL[byte]!;
  }
  return `${quoted}"`;
}

const OLD: ReadonlyMap<string, string> = new Map([
  ['\x1b', '\\e'],
  ['\r', '\\r'],
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['$', '\\$'],
]);

/** Quotes by Q2: for tmux before 3.0. May hold any characters but controls. */
export function quoteOld(argument: Argument): string {
  const word = typeof argument === 'object' ? decodeStrictly(argument) : String(argument);
  if (BARE.test(word)) return word;
  let quoted = '"';
  for (const char of word) {
    const escaped = OLD.get(char);
    if (escaped !== undefined) quoted += escaped;
    else if (char < ' ' || char === '\x7f') {
      refuse(char.charCodeAt(0), 'which tmux before 3.0 accepts in no quoting');
    } else quoted += char;
  }
  // tmux before 3.0 splits the command after an argument that ends in ";", quoted or not.
  if (quoted.endsWith(';')) quoted = `${quoted.slice(0, -1)}\\;`;
  return `${quoted}"`;
}

function decodeStrictly(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CommandError(
      'ERR_TMUX_ENCODE',
      'argument is not valid UTF-8, which tmux before 3.0 accepts in no quoting',
    );
  }
}
