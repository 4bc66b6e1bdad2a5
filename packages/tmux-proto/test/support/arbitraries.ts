/** fast-check arbitraries of control-mode streams: as tmux writes them, and as nobody should. */

import { escapeOutput } from '@millrace/tmux-proto';
import fc from 'fast-check';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const FRAGMENTS = [
  '%output %1 ',
  '%output %',
  '%output ',
  '%output %4294967295 ',
  '%output %4294967296 x\n',
  '%output %00000000001 x\n',
  '%begin 1 2 3\n',
  '%end 1 2 3\n',
  '%error 1 2 3\n',
  '%end 1 2 4\n',
  '%end 1 2 31\n',
  '%end 1 2 3 \n',
  '%end 1 2 \n',
  '%begin 1 2\n',
  '%end 1 2\n',
  '%begin 1 2 3 4\n',
  '%begin  1 2\n',
  '%end 1 2 3\r\n',
  '%begin 1 2 3\r\n',
  '%begin 123456789012345678901 2 1\n',
  '%begin 99999999999999999999 18446744073709551616 1\n',
  '%end 99999999999999999999 18446744073709551617 1\n',
  '%end 99999999999999999999 18446744073709551616 1\n',
  'glued%end 1 2 3\n',
  'glued%error 1 2\n',
  '%extended-output %7 12 : ',
  '%extended-output %7 12 x y : ',
  '%extended-output %7 ',
  '%extended-output %7 123456789012345 : ',
  '%extended-output %7 1234567890123456 : ',
  '%extended-output %7 5 :',
  '%extended-output %7  : ',
  '%extended-output %7 5x : ',
  ' : ',
  '\n',
  '\n\n',
  '\r\n',
  '\r',
  '\\',
  '\\0',
  '\\03',
  '\\033',
  '\\134',
  '\\015',
  '\\377',
  '\\400',
  '\\3777',
  '\\08',
  '\\\\',
  '\\015\\012',
  'a',
  'abc',
  ' ',
  '%',
  '%%',
  'h\xc3\xa9',
  '\x7f',
  '\0',
  '\x1b',
  '\x1b\\',
  '\x1bP1000p',
  '\n\x1b\\',
  '\x1bP',
  '\x1bP1000',
  '\x9c',
  '\x90',
  'x'.repeat(15),
  'y'.repeat(16),
  'z'.repeat(17),
  'w'.repeat(63),
  'v'.repeat(64),
  '%exit\n',
  '%exit detached\n',
  '%exitx\n',
  '%error\n',
  '%noop\n',
  '%layout-change @1 b25f,80x24,0,0,0 b25f,80x24,0,0,0 *\n',
  '%layout-change @1   *\n',
  '%layout-change @1\n',
  '%window-renamed @1 \n',
  '%window-renamed @1\n',
  '%window-renamed @1 a\\033b\n',
  '%unlinked-window-close @3\n',
  '%window-add @\n',
  '%window-pane-changed @1 %2\n',
  '%pause %1\n',
  '%pause %\n',
  '%session-changed $0 a b\n',
  '%sessions-changed\n',
  '%sessions-changed \n',
  '%subscription-changed a b : c $1 @2 3 %4 : v : w\n',
  '%subscription-changed  $1 - - - : \n',
  '%subscription-changed n $1 @2 3 %4 more : v\n',
  '%subscription-changed n $1\n',
  '%client-session-changed /dev/pts/1 $0 n\n',
  '%client-detached c\n',
  '%client-detached\n',
  '%paste-buffer-changed b\n',
  '%message \n',
  '%message\n',
  '%config-error x\n',
  '%session-renamed $1\n',
];

const HEADS = ['%output %1 ', '%extended-output %7 12 : ', '%extended-output %7 12 x : ', 'text'];
const PIECES = FRAGMENTS.filter((fragment) => !fragment.includes('\n'));
const TAILS = ['\n', '\n', '\r\n', '\\015\n', '\\015\r\n', '\\\n', '\\0\n', '\\01\n', '\\01\r\n'];

/** One line whose payload is made of escapes, whole and broken. */
const escapes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(...HEADS),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 20 }),
    fc.constantFrom(...TAILS),
  )
  .map(([head, pieces, tail]) => bytes(head + pieces.join('') + tail));

/** Fragments glued at random, with raw bytes between. */
export const garbage: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...FRAGMENTS).map(bytes) },
      { weight: 3, arbitrary: escapes },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.concat(parts));

const payload: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(2, 20, 70, 300, 3000),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(),
  )
  .map(([maximum, density, seed]) => {
    let state = seed | 1;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const raw = new Uint8Array(Math.floor(random() * maximum));
    for (let index = 0; index < raw.length; index++) {
      raw[index] =
        random() < density * density
          ? [27, 10, 13, 92, 0, 31][Math.floor(random() * 6)]!
          : 32 + Math.floor(random() * 224);
    }
    return raw;
  });

/** Streams as tmux writes them, with either line end. */
export const wellFormed: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.oneof(
        fc
          .tuple(fc.constantFrom(0, 7, 299, 100000, 4294967295), payload)
          .map(([pane, raw]) =>
            Buffer.concat([bytes(`%output %${pane} `), escapeOutput(raw), bytes('\n')]),
          ),
        fc
          .tuple(fc.nat(9), fc.nat(), payload)
          .map(([pane, age, raw]) =>
            Buffer.concat([
              bytes(`%extended-output %${pane} ${age} : `),
              escapeOutput(raw),
              bytes('\n'),
            ]),
          ),
        fc
          .tuple(fc.nat(), fc.constantFrom('', ' 0', ' 1'), fc.constantFrom('end', 'error'))
          .map(([number, flags, how]) =>
            bytes(
              `%begin 17 ${number}${flags}\nraw \\033 \x1b\\ line\n%end 17 ${number}${flags}1\n%output %1 in block\n%end 17 9999999999 1\n` +
                `%${how} 17 ${number}${flags}\n`,
            ),
          ),
        fc.constantFrom('%window-add @1\n', '%pause %1\n', 'stray\n', '\n').map(bytes),
      ),
      { maxLength: 14 },
    ),
  )
  .map(([crlf, lines]) => {
    const whole = Buffer.concat([bytes('%begin 1 1 0\n%end 1 1 0\n'), ...lines]);
    return crlf ? Buffer.from(whole.toString('latin1').replaceAll('\n', '\r\n'), 'latin1') : whole;
  });

/** Where to cut an input of `length` bytes: nowhere, everywhere, or in steps of up to a size. */
export const cutting: fc.Arbitrary<(length: number) => number[]> = fc
  .tuple(fc.constantFrom(0, 1, 4, 64, 1000), fc.nat())
  .map(([step, seed]) => {
    const cut = (length: number): number[] => {
      if (step === 0) return [];
      const cuts: number[] = [];
      let state = seed | 1;
      for (let at = 1; at < length; ) {
        cuts.push(at);
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        at += 1 + Math.floor((state / 2 ** 32) * step * (step > 1 ? 1 : 0));
      }
      return cuts;
    };
    return Object.assign(cut, { toString: () => `cut(step=${step}, seed=${seed})` });
  });
