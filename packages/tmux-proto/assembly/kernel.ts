/**
 * The SIMD kernel: splits whole lines, decodes output, reports events on a tape. AssemblyScript, no runtime.
 *
 * Own design. One call handles all whole lines of a chunk; nothing is imported but the memory, nothing is
 * called back. Everything rare is left to JavaScript: such a line is reported as OTHER, and JavaScript, whose
 * state is the truth, hands its state in again with the next call.
 *
 * ```text
 * parse(pos, limit, tape, capacity, state, out) -> number of events
 *
 * receive   ...%output %1 ab\033[m..LF %begin 1 2 1 LF ...LF|slack     only read
 *              ^pos                                          ^limit      up to 64 bytes behind limit are read
 * tape      4 x u32 per event: kind | extra << 8, pane, start, end
 * out       decoded payloads one after the other                         up to 16 bytes behind the last are written
 *
 * state  +0 pos (in, out)   +4 inBlock   +8 flags   +12 guardLength   +16 guardText[64]
 * ```
 * K1: every line below `limit` ends in LF, so LF is the sentinel and no inner loop checks a bound.
 * K2: `start` and `end` of an event are addresses in receive or in out; receive is never written.
 * K3: decoded bytes of a call never exceed `limit - pos`.
 * K4: `state.inBlock` and the guard follow the lines exactly as JavaScript's machine will.
 *
 * Decoding, 16 bytes a step, without a branch on the data: three unaligned loads give each byte and the two
 * and three before it; where the byte three back is `\`, the three digits are joined; bytes that belonged to
 * an escape are dropped by shuffles from a table indexed with the bit mask. Validity is collected and looked
 * at once, at the line's end; a line with a broken escape is decoded again by the scalar definition.
 */

// Flags of the state.
const STRIP_CR: u32 = 1, EOL_KNOWN: u32 = 2, DCS: u32 = 4, GLUED: u32 = 8, LAZY: u32 = 16;
// Kinds of events.
const OUTPUT: u32 = 1, EXTENDED: u32 = 2, REPLY: u32 = 3, OTHER: u32 = 4, LEAVE: u32 = 5, RAW: u32 = 5;
const BEGIN: u32 = 8, END: u32 = 9, ERROR: u32 = 10;
const GUARD_MAX: u32 = 62;

// Constants and shuffle tables, below the caller's buffers: [1024, 1120) splats, [2048, 6144) tables.
const KV: usize = 1024, LOW: usize = 2048, HIGH: usize = 4096;

function splat(index: u32, byte: u8): void { v128.store(KV + (index << 4), i8x16.splat(byte)); }

/** Fills the constants; called once. */
export function init(): void {
  splat(0, 10); splat(1, 0x5c); splat(2, 0x30); splat(3, 0xf8); splat(4, 7); splat(5, 3);
  for (let mask: u32 = 0; mask < 256; mask++) {
    let kept: u32 = 0;
    for (let bit: u32 = 0; bit < 8; bit++) {
      if ((mask >> bit) & 1) {
        store<u8>(LOW + (mask << 3) + kept, bit);
        store<u8>(HIGH + (mask << 3) + kept, bit + 8);
        kept++;
      }
    }
  }
}

// @ts-ignore: decorator
@inline function special16(at: u32): u32 {
  const v = v128.load(at);
  return <u32>i8x16.bitmask(v128.or(i8x16.eq(v, v128.load(KV)), i8x16.eq(v, v128.load(KV + 16))));
}

/** First LF or backslash at or behind `at`. */
// @ts-ignore: decorator
@inline function special(at: u32): u32 {
  const lf = v128.load(KV), bs = v128.load(KV + 16);
  while (true) {
    let a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48);
    a = v128.or(i8x16.eq(a, lf), i8x16.eq(a, bs));
    b = v128.or(i8x16.eq(b, lf), i8x16.eq(b, bs));
    c = v128.or(i8x16.eq(c, lf), i8x16.eq(c, bs));
    d = v128.or(i8x16.eq(d, lf), i8x16.eq(d, bs));
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) {
      const low = <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16));
      const high = <u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16));
      return at + <u32>ctz(low | (high << 32));
    }
    at += 64;
  }
  return at;
}

/** First LF at or behind `at`. */
// @ts-ignore: decorator
@inline function lineFeed(at: u32): u32 {
  const lf = v128.load(KV);
  while (true) {
    const a = i8x16.eq(v128.load(at), lf), b = i8x16.eq(v128.load(at, 16), lf);
    if (v128.any_true(v128.or(a, b))) {
      return at + ctz<u32>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16));
    }
    at += 32;
  }
  return at;
}

/** Behind the last LF in [low, high), or 0. */
export function linesEnd(low: u32, high: u32): u32 {
  const lf = v128.load(KV);
  while (high >= low + 16) {
    const mask = <u32>i8x16.bitmask(i8x16.eq(v128.load(high - 16), lf));
    if (mask) return high + 16 - clz<u32>(mask);
    high -= 16;
  }
  while (high > low) if (load<u8>(--high) == 10) return high + 1;
  return 0;
}

function decodeScalar(at: u32, end: u32, to: u32): u32 {
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == 0x5c && at + 3 < end) {
      const a = <u32>load<u8>(at, 1) - 48, b = <u32>load<u8>(at, 2) - 48, c = <u32>load<u8>(at, 3) - 48;
      if (a < 4 && b < 8 && c < 8) { store<u8>(to++, a << 6 | b << 3 | c); at += 4; continue; }
    }
    store<u8>(to++, byte); at++;
  }
  return to;
}

let decodedLine: u32 = 0; // second result of decodeLine: address of the LF

/** Decodes the line from `start`; its first backslash is at `at`. Returns the end of what it wrote at `to`. */
function decodeLine(start: u32, at: u32, to: u32): u32 {
  const lf = v128.load(KV), bs = v128.load(KV + 16), zero = v128.load(KV + 32);
  const upper = v128.load(KV + 48), seven = v128.load(KV + 64), three = v128.load(KV + 80);
  const first = to;
  for (let from = start; from < at; from += 16) v128.store(to + (from - start), v128.load(from));
  to += at - start;
  let slashes: u32 = 0, broken = i8x16.splat(0);
  for (;; at += 16) {
    let v = v128.load(at);
    const ends = <u32>i8x16.bitmask(i8x16.eq(v, lf));
    const third = i8x16.eq(v128.load(at - 3), bs); // lanes that hold an escape's third digit
    const x = v128.xor(v, zero), x1 = v128.xor(v128.load(at - 1), zero), x2 = v128.xor(v128.load(at - 2), zero);
    slashes = (slashes >> 16) | (<u32>i8x16.bitmask(i8x16.eq(v, bs)) << 3);
    broken = v128.or(broken, v128.and(third, v128.or(v128.or(x, x1), i8x16.add(x2, x2))));
    const value = v128.or(x, v128.or(i16x8.shl(v128.and(x1, seven), 3), i16x8.shl(v128.and(x2, three), 6)));
    v = v128.bitselect(value, v, third);
    const after = (slashes << 1) | (slashes << 2);
    let keep = ~((slashes | after) >> 3) & 0xffff;
    if (ends) {
      const end = ctz(ends);
      decodedLine = at + end;
      // A broken escape, or one that the LF cuts: the scalar definition decides.
      if (v128.any_true(v128.and(broken, upper)) || (((after | (slashes << 3)) >> (end + 3)) & 1)) {
        return decodeScalar(start, at + end, first);
      }
      keep &= (<u32>1 << end) - 1;
    }
    const low = keep & 255;
    v128.store64_lane(to, i8x16.swizzle(v, v128.load64_zero(LOW + (low << 3))), 0);
    v128.store64_lane(to + popcnt(low), i8x16.swizzle(v, v128.load64_zero(HIGH + ((keep >> 8) << 3))), 0);
    to += popcnt(keep);
    if (ends) return to;
  }
  return to;
}

/** Decodes the payload of one line that `parse` left raw; it ends in LF. Returns the end of what it wrote. */
export function decode(start: u32, to: u32): u32 {
  const at = special(start);
  if (load<u8>(at) == 10) {
    memory.copy(to, start, at - start);
    return to + at - start;
  }
  return decodeLine(start, at, to);
}

/** Length of a valid guard text at `at` up to `end` (G1), or 0. */
function guardLength(at: u32, end: u32): u32 {
  let fields = 1, digits = 0;
  if (end - at > GUARD_MAX) return 0;
  for (let i = at; i < end; i++) {
    const byte = <u32>load<u8>(i);
    if (byte - 48 < 10) { if (++digits > 20) return 0; }
    else if (byte == 32 && digits > 0 && fields < 3) { fields++; digits = 0; }
    else return 0;
  }
  return digits > 0 && fields >= 2 ? end - at : 0;
}

function sameGuard(at: u32, end: u32, state: u32): bool {
  const length = load<u32>(state, 12);
  if (end - at != length) return false;
  for (let i: u32 = 0; i < length; i++) if (load<u8>(at + i) != load<u8>(state + i, 16)) return false;
  return true;
}

/** END or ERROR if [at, end) is that guard of the open block, else 0. */
function closes(at: u32, end: u32, state: u32): u32 {
  const head = load<u64>(at);
  if (<u32>head == 0x646e6525 && (<u32>(head >> 32) & 255) == 32) return end >= at + 5 && sameGuard(at + 5, end, state) ? END : 0;
  if (head << 8 == 0x20726f7272652500) return end >= at + 7 && sameGuard(at + 7, end, state) ? ERROR : 0;
  return 0;
}

/** Whether the line ends in %end or %error of the open block, behind other text. */
function closesGlued(at: u32, end: u32, state: u32): bool {
  const length = load<u32>(state, 12);
  return (end - at > length + 5 && closes(end - length - 5, end, state) == END) ||
    (end - at > length + 7 && closes(end - length - 7, end, state) == ERROR);
}

// @ts-ignore: decorator
@inline function event(tape: u32, kind: u32, pane: u32, start: u32, end: u32): void {
  store<u32>(tape, kind); store<u32>(tape, pane, 4); store<u32>(tape, start, 8); store<u32>(tape, end, 12);
}

let bodyStart: u32 = 0, bodyAge: u32 = 0, bodyPane: u32 = 0; // results of the headers

/** Reads " %P age : " behind "%extended-output"; false if it isn't of that plain form. */
// @ts-ignore: decorator
@inline function extendedHeader(pos: u32): bool {
  let at = pos + 18, digit = <u32>load<u8>(at) - 48, pane: u32 = 0, age: u32 = 0;
  if ((load<u16>(pos, 16) != 0x2520) | (digit > 9)) return false;
  do { pane = pane * 10 + digit; digit = <u32>load<u8>(++at) - 48; } while (digit < 10 && at < pos + 27);
  if (load<u8>(at) != 32) return false;
  digit = <u32>load<u8>(++at) - 48;
  if (digit > 9) return false;
  const first = at;
  do { age = age * 10 + digit; digit = <u32>load<u8>(++at) - 48; } while (digit < 10 && at < first + 7);
  if ((load<u32>(at) & 0xffffff) != 0x203a20) return false;
  bodyStart = at + 3; bodyAge = age; bodyPane = pane;
  return true;
}

// @ts-ignore: decorator
@inline function outputHeader(pos: u32): bool {
  let at = pos + 9, digit = <u32>load<u8>(at) - 48, pane: u32 = 0;
  if ((load<u8>(pos, 8) != 37) | (digit > 9)) return false;
  do { pane = pane * 10 + digit; digit = <u32>load<u8>(++at) - 48; } while (digit < 10 && at < pos + 18);
  if (load<u8>(at) != 32) return false;
  bodyStart = at + 1; bodyPane = pane;
  return true;
}

/** Parses whole lines from `state.pos` to `limit`; stops when the tape is full or a line left control mode. */
export function parse(limit: u32, tape: u32, capacity: u32, state: u32, out: u32): u32 {
  let pos = load<u32>(state), inBlock = load<u32>(state, 4), flags = load<u32>(state, 8);
  const raw: u32 = flags & LAZY ? RAW : 0; // RAW + OUTPUT and RAW + EXTENDED are kinds of their own
  const stop = tape + (capacity << 4), first = tape;
  while (tape != stop && pos < limit) {
    const head = load<u64>(pos);
    if (!inBlock) {
      let kind: u32 = 0, body: u32 = 0, pane: u32 = 0;
      if (head == 0x2074757074756f25) { // "%output "
        const next = load<u32>(pos, 8);
        pane = (next >> 8 & 255) - 48;
        if (((next & 0xff00ff) == 0x200025) & (pane < 10)) { kind = OUTPUT + raw; body = pos + 11; }
        else if (outputHeader(pos)) { kind = OUTPUT + raw; body = bodyStart; pane = bodyPane; }
      } else if (head == 0x65646e6574786525 && load<u64>(pos, 8) == 0x74757074756f2d64) {
        if (extendedHeader(pos)) { kind = EXTENDED + raw | (bodyAge << 8); body = bodyStart; pane = bodyPane; }
      }
      if (kind) {
        // The first bytes one by one: a branch that is predicted breaks the chain of loads and compares.
        let at = body;
        if (load<u8>(at) != 10 && load<u8>(at) != 0x5c) {
          at++;
          if (load<u8>(at) != 10 && load<u8>(at) != 0x5c) {
            at++;
            if (load<u8>(at) != 10 && load<u8>(at) != 0x5c) {
              at++;
              if (load<u8>(at) != 10 && load<u8>(at) != 0x5c) {
                at++;
                const mask = special16(at);
                at = mask ? at + ctz(mask) : special(at + 16);
              }
            }
          }
        }
        let start = body, end = at;
        if (load<u8>(at) != 10) {
          if (!raw) { start = out; out = end = decodeLine(body, at, out); at = decodedLine; }
          else end = at = lineFeed(at);
        }
        if (flags & STRIP_CR) if (at > body && load<u8>(at - 1) == 13) end--;
        event(tape, kind, pane, start, end);
        pos = at + 1; tape += 16;
        continue;
      }
      if ((<u32>head & 0xffff) == 0x5c1b && (flags & DCS)) {
        event(tape, LEAVE, 0, pos, pos + 2);
        pos += 2; tape += 16;
        break;
      }
    }
    const lf = lineFeed(pos);
    const end = (flags & STRIP_CR) && lf > pos && load<u8>(lf - 1) == 13 ? lf - 1 : lf;
    let kind = OTHER, start = pos, last = lf;
    if (inBlock) {
      const close: u32 = (<u32>head & 0xffff) == 0x6525 ? closes(pos, end, state) : 0;
      if (close) { kind = close; inBlock = 0; }
      else if ((flags & GLUED) && closesGlued(pos, end, state)) inBlock = 0;
      else { kind = REPLY; last = end; }
    } else if (head << 8 == 0x206e696765622500 && end >= pos + 7) { // "%begin "
      const length = guardLength(pos + 7, end);
      if (length) {
        if (!(flags & EOL_KNOWN)) {
          flags |= EOL_KNOWN;
          if (end == lf) flags &= ~STRIP_CR;
        }
        memory.copy(state + 16, pos + 7, length);
        store<u32>(state, length, 12);
        inBlock = 1;
        kind = BEGIN; start = pos + 7; last = end;
      }
    }
    event(tape, kind, <u32>(end != lf), start, last); // for BEGIN: whether there was a CR
    pos = lf + 1; tape += 16;
  }
  store<u32>(state, pos);
  store<u32>(state, inBlock, 4);
  return (tape - first) >> 4;
}
