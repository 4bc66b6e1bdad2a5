/**
 * The plain JavaScript engine: finds, decodes and reports output lines.
 *
 * Own design. Every line below `limit` is whole, so its LF is the sentinel and no inner loop checks a bound.
 * Payload is read four bytes a step through a DataView; a byte equal to LF or `\` is found by the zero-byte
 * test `(x - 0x01010101) & ~x & 0x80808080` on the word xor-ed with the byte. Escapes are decoded in place.
 *
 * ```text
 *          pos            from         to      at          LF
 *           |              |           |       |           |
 * ----------%output %12 SP decoded.....|stale..|undecoded..\n-------
 * ```
 * J1: at a backslash `to === at`, or `to <= at - 3`: each escape takes four bytes and gives one. So a
 *     four-byte store at `to` never reaches an unread byte behind the word that was loaded at `at`.
 * J2: `escapedEnd` is where the last escape ended: only a byte that was raw on the wire may be the CR of a
 *     line's end (M6).
 *
 * Cost: no allocation; the rows "JS engine" of `npm run bench -w packages/tmux-proto` say how long it takes.
 */
import { Arena, ArenaPool } from './arena.ts';
import type { ControlHandler, ParserOptions } from './handler.ts';
import { Machine } from './machine.ts';

/** Of all parsers in ordinary memory. */
export const plainArenas: ArenaPool = new ArenaPool(() => new Arena());
const OUTPUT_0 = 0x74756f25; // "%out"
const OUTPUT_1 = 0x20747570; // "put "
const EXTENDED_0 = 0x74786525; // "%ext"
const EXTENDED_1 = 0x65646e65; // "ende"
const EXTENDED_2 = 0x756f2d64; // "d-ou"
const EXTENDED_3 = 0x74757074; // "tput"

/** A parser's machine in plain JavaScript. */
export class JsMachine extends Machine {
  readonly #extended: boolean;

  constructor(handler: ControlHandler, options: ParserOptions, pool: ArenaPool = plainArenas) {
    super(pool, handler, options);
    this.#extended = handler.extendedOutput !== undefined;
  }

  get engine(): 'js' | 'wasm' {
    return 'js';
  }

  protected override parseLines(arena: Arena, limit: number): void {
    for (;;) {
      const before = arena.pos;
      try {
        this.#parse(arena, limit);
        return;
      } catch (error) {
        if (arena.pos === before) throw error; // M5: not a handler's
        this.handlerFailed(error);
        if (!this.insideControlMode || arena.pos >= limit) return;
      }
    }
  }

  #parse(arena: Arena, limit: number): void {
    const bytes = arena.bytes;
    const view = arena.view;
    const handler = this.handler;
    // Only `line` and `replyLine` change these.
    let fast = this.eager && !this.inBlock;
    let stripCr = this.stripCr;
    let pos = arena.pos;
    while (pos < limit) {
      const head = view.getInt32(pos, true);
      let at = 0;
      let age = -1;
      if (fast) {
        if (head === OUTPUT_0) {
          if (view.getInt32(pos + 4, true) === OUTPUT_1 && bytes[pos + 8] === 0x25) at = pos + 9;
        } else if (
          head === EXTENDED_0 &&
          view.getInt32(pos + 4, true) === EXTENDED_1 &&
          view.getInt32(pos + 8, true) === EXTENDED_2 &&
          view.getInt32(pos + 12, true) === EXTENDED_3 &&
          bytes[pos + 16] === 0x20 &&
          bytes[pos + 17] === 0x25
        ) {
          at = pos + 18;
          age = 0;
        }
      }
      if (at !== 0) {
        // Pane: one to nine digits here, the rest of the grammar is left to `line`.
        let pane = bytes[at]! - 0x30;
        let byte = bytes[++at]!;
        let valid = pane >= 0 && pane <= 9;
        let stop = at + 8;
        while (byte >= 0x30 && byte <= 0x39 && at < stop) {
          pane = pane * 10 + byte - 0x30;
          byte = bytes[++at]!;
        }
        valid &&= byte === 0x20;
        byte = bytes[++at]!;
        if (age === 0 && valid) {
          stop = at + 9;
          const from = at;
          while (byte >= 0x30 && byte <= 0x39 && at < stop) {
            age = age * 10 + byte - 0x30;
            byte = bytes[++at]!;
          }
          valid = at > from && (view.getInt32(at, true) & 0xffffff) === 0x203a20;
          at += 3;
          byte = bytes[at]!;
        }
        if (valid) {
          const from = at;
          for (stop = at + 8; byte !== 10 && byte !== 0x5c && at < stop; ) byte = bytes[++at]!;
          if (byte !== 10 && byte !== 0x5c) {
            let found: number;
            for (;;) {
              const a = view.getInt32(at, true);
              const b = view.getInt32(at + 4, true);
              const a1 = a ^ 0x5c5c5c5c;
              const a2 = a ^ 0x0a0a0a0a;
              found = (((a1 - 0x01010101) & ~a1) | ((a2 - 0x01010101) & ~a2)) & 0x80808080;
              if (found !== 0) break;
              at += 4;
              const b1 = b ^ 0x5c5c5c5c;
              const b2 = b ^ 0x0a0a0a0a;
              found = (((b1 - 0x01010101) & ~b1) | ((b2 - 0x01010101) & ~b2)) & 0x80808080;
              if (found !== 0) break;
              at += 4;
            }
            at += (31 - Math.clz32(found & -found)) >> 3;
            byte = bytes[at]!;
          }
          let to = at;
          let escapedEnd = 0;
          if (byte !== 10) {
            let word = view.getInt32(at, true);
            for (;;) {
              if ((word & 0xf8f8fcff) === 0x3030305c) {
                bytes[to++] = ((word >> 2) & 0xc0) | ((word >> 13) & 0x38) | ((word >> 24) & 7);
                at += 4;
                escapedEnd = at; // J2
                word = view.getInt32(at, true);
                continue;
              }
              const w1 = word ^ 0x5c5c5c5c;
              const w2 = word ^ 0x0a0a0a0a;
              const found = (((w1 - 0x01010101) & ~w1) | ((w2 - 0x01010101) & ~w2)) & 0x80808080;
              if (found === 0) {
                view.setInt32(to, word, true); // J1
                at += 4;
                to += 4;
                word = view.getInt32(at, true);
                continue;
              }
              const count = (31 - Math.clz32(found & -found)) >> 3;
              if (count !== 0) {
                view.setInt32(to, word, true); // J1
                at += count;
                to += count;
                word = view.getInt32(at, true);
                if ((word & 255) === 10) break;
                continue;
              }
              if ((word & 255) === 10) break;
              bytes[to++] = 0x5c; // a backslash that starts no escape stays
              at++;
              word = view.getInt32(at, true);
            }
          }
          if (stripCr && to > from && bytes[to - 1] === 13 && escapedEnd !== at) to--; // M6
          pos = at + 1;
          arena.pos = pos; // M5
          if (age >= 0 && this.#extended) handler.extendedOutput!(pane, age, bytes, from, to);
          else handler.output!(pane, bytes, from, to);
          continue;
        }
      }
      let end = pos;
      for (;;) {
        const word = view.getInt32(end, true) ^ 0x0a0a0a0a;
        const found = (word - 0x01010101) & ~word & 0x80808080;
        if (found !== 0) {
          end += (31 - Math.clz32(found & -found)) >> 3;
          break;
        }
        end += 4;
      }
      if (bytes[pos] === 0x1b && bytes[pos + 1] === 0x5c && this.insideDcs && !this.inBlock) {
        arena.pos = pos + 2;
        this.leaveDcs();
        return;
      }
      const start = pos;
      pos = end + 1;
      arena.pos = pos; // M5
      if (this.inBlock && (head & 255) !== 0x25 && !this.gluedGuards) {
        this.replyLine(
          bytes,
          start,
          this.stripCr && bytes[end - 1] === 13 && end > start ? end - 1 : end,
        );
      } else {
        this.line(bytes, start, end);
        fast = this.eager && !this.inBlock;
        stripCr = this.stripCr;
      }
    }
  }
}
