/*
 * A twin of assembly/kernel.ts in C, statement by statement, so that native tools look at the same accesses:
 * AddressSanitizer, UndefinedBehaviorSanitizer and Valgrind know the ends of each buffer, which WebAssembly
 * doesn't. It supports the kernel's own tests (kernel.internal.test.ts) and replaces none of them: it is called
 * a twin because only its equality with the kernel, event for event, says anything about the kernel.
 *
 * Input on stdin, any number of:  u32 flags, u32 length, length bytes (whole lines).
 * Output for each: u32 count, then count times u32 kind, u32 pane, u32 length and the bytes.
 * Each buffer is an allocation of its own with the size that the kernel's header promises.
 */
#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tmmintrin.h>

typedef const uint8_t *at_t;
enum { STRIP_CR = 1, EOL_KNOWN = 2, DCS = 4, GLUED = 8, LAZY = 16 };
enum { OUTPUT = 1, EXTENDED = 2, REPLY = 3, OTHER = 4, LEAVE = 5, RAW = 5, BEGIN = 8, END = 9, ERROR = 10 };
enum { GUARD_MAX = 62, READ_AHEAD = 64, WRITE_AHEAD = 16, EVENTS = 64 };

struct event { uint32_t kind, pane; const uint8_t *start, *end; };
struct state { at_t pos; uint32_t in_block, flags, guard_length; uint8_t guard[GUARD_MAX]; };

static uint8_t low_table[2048], high_table[2048];

static void init(void) {
  for (uint32_t mask = 0; mask < 256; mask++) {
    uint32_t kept = 0;
    for (uint32_t bit = 0; bit < 8; bit++) {
      if (!((mask >> bit) & 1)) continue;
      low_table[(mask << 3) + kept] = (uint8_t)bit;
      high_table[(mask << 3) + kept] = (uint8_t)(bit + 8);
      kept++;
    }
  }
}

static uint32_t u32(at_t p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint64_t u64(at_t p) { uint64_t v; memcpy(&v, p, 8); return v; }
static __m128i load(at_t p) { return _mm_loadu_si128((const __m128i *)p); }
static __m128i splat(int c) { return _mm_set1_epi8((char)c); }
static uint32_t bits(__m128i v) { return (uint32_t)_mm_movemask_epi8(v); }

static uint32_t special16(at_t at) {
  __m128i v = load(at);
  return bits(_mm_or_si128(_mm_cmpeq_epi8(v, splat(10)), _mm_cmpeq_epi8(v, splat(0x5c))));
}
static at_t special(at_t at) {
  for (;; at += 64) {
    uint64_t low = special16(at) | ((uint64_t)special16(at + 16) << 16);
    uint64_t high = special16(at + 32) | ((uint64_t)special16(at + 48) << 16);
    uint64_t all = low | (high << 32);
    if (all) return at + __builtin_ctzll(all);
  }
}
static at_t line_feed(at_t at) {
  for (;; at += 32) {
    uint32_t mask = bits(_mm_cmpeq_epi8(load(at), splat(10))) | (bits(_mm_cmpeq_epi8(load(at + 16), splat(10))) << 16);
    if (mask) return at + __builtin_ctz(mask);
  }
}

static uint8_t *decode_scalar(at_t at, at_t end, uint8_t *to) {
  while (at < end) {
    if (*at == 0x5c && at + 3 < end) {
      uint32_t a = at[1] - 48u, b = at[2] - 48u, c = at[3] - 48u;
      if (a < 4 && b < 8 && c < 8) { *to++ = (uint8_t)(a << 6 | b << 3 | c); at += 4; continue; }
    }
    *to++ = *at++;
  }
  return to;
}

static at_t decoded_line;

static uint8_t *decode_line(at_t start, at_t at, uint8_t *to) {
  const __m128i lf = splat(10), bs = splat(0x5c), zero = splat(0x30), upper = splat(0xf8), seven = splat(7), three = splat(3);
  uint8_t *first = to;
  for (at_t from = start; from < at; from += 16) _mm_storeu_si128((__m128i *)(to + (from - start)), load(from));
  to += at - start;
  uint32_t slashes = 0;
  __m128i broken = _mm_setzero_si128();
  for (;; at += 16) {
    __m128i v = load(at);
    uint32_t ends = bits(_mm_cmpeq_epi8(v, lf));
    __m128i third = _mm_cmpeq_epi8(load(at - 3), bs);
    __m128i x = _mm_xor_si128(v, zero), x1 = _mm_xor_si128(load(at - 1), zero), x2 = _mm_xor_si128(load(at - 2), zero);
    slashes = (slashes >> 16) | (bits(_mm_cmpeq_epi8(v, bs)) << 3);
    broken = _mm_or_si128(broken, _mm_and_si128(third, _mm_or_si128(_mm_or_si128(x, x1), _mm_add_epi8(x2, x2))));
    __m128i value = _mm_or_si128(x, _mm_or_si128(_mm_slli_epi16(_mm_and_si128(x1, seven), 3), _mm_slli_epi16(_mm_and_si128(x2, three), 6)));
    v = _mm_or_si128(_mm_and_si128(third, value), _mm_andnot_si128(third, v));
    uint32_t after = (slashes << 1) | (slashes << 2);
    uint32_t keep = ~((slashes | after) >> 3) & 0xffff;
    if (ends) {
      uint32_t end = (uint32_t)__builtin_ctz(ends);
      decoded_line = at + end;
      bool bad = bits(_mm_cmpeq_epi8(_mm_and_si128(broken, upper), _mm_setzero_si128())) != 0xffff;
      if (bad || (((after | (slashes << 3)) >> (end + 3)) & 1)) return decode_scalar(start, at + end, first);
      keep &= (1u << end) - 1;
    }
    uint32_t low = keep & 255, high = keep >> 8;
    __m128i low_order = _mm_loadl_epi64((const __m128i *)(low_table + (low << 3)));
    __m128i high_order = _mm_loadl_epi64((const __m128i *)(high_table + (high << 3)));
    _mm_storel_epi64((__m128i *)to, _mm_shuffle_epi8(v, low_order));
    _mm_storel_epi64((__m128i *)(to + __builtin_popcount(low)), _mm_shuffle_epi8(v, high_order));
    to += __builtin_popcount(keep);
    if (ends) return to;
  }
}

static uint32_t guard_length(at_t at, at_t end) {
  uint32_t fields = 1, digits = 0;
  if (end - at > GUARD_MAX) return 0;
  for (at_t i = at; i < end; i++) {
    uint32_t byte = *i;
    if (byte - 48u < 10) { if (++digits > 20) return 0; }
    else if (byte == 32 && digits > 0 && fields < 3) { fields++; digits = 0; }
    else return 0;
  }
  return digits > 0 && fields >= 2 ? (uint32_t)(end - at) : 0;
}
static bool same_guard(at_t at, at_t end, const struct state *s) {
  return (uint32_t)(end - at) == s->guard_length && memcmp(at, s->guard, s->guard_length) == 0;
}
static uint32_t closes(at_t at, at_t end, const struct state *s) {
  uint64_t head = u64(at);
  if ((uint32_t)head == 0x646e6525 && ((head >> 32) & 255) == 32) return end >= at + 5 && same_guard(at + 5, end, s) ? END : 0;
  if (head << 8 == 0x20726f7272652500) return end >= at + 7 && same_guard(at + 7, end, s) ? ERROR : 0;
  return 0;
}
static bool closes_glued(at_t at, at_t end, const struct state *s) {
  uint32_t length = s->guard_length;
  return (end - at > (ptrdiff_t)length + 5 && closes(end - length - 5, end, s) == END) ||
         (end - at > (ptrdiff_t)length + 7 && closes(end - length - 7, end, s) == ERROR);
}

static at_t body_start;
static uint32_t body_age, body_pane;

static bool extended_header(at_t pos) {
  at_t at = pos + 18;
  uint32_t digit = *at - 48u, pane = 0, age = 0;
  if (pos[16] != 32 || pos[17] != 37 || digit > 9) return false;
  do { pane = pane * 10 + digit; digit = *++at - 48u; } while (digit < 10 && at < pos + 27);
  if (*at != 32) return false;
  digit = *++at - 48u;
  if (digit > 9) return false;
  at_t first = at;
  do { age = age * 10 + digit; digit = *++at - 48u; } while (digit < 10 && at < first + 7);
  if ((u32(at) & 0xffffff) != 0x203a20) return false;
  body_start = at + 3; body_age = age; body_pane = pane;
  return true;
}
static bool output_header(at_t pos) {
  at_t at = pos + 9;
  uint32_t digit = *at - 48u, pane = 0;
  if (pos[8] != 37 || digit > 9) return false;
  do { pane = pane * 10 + digit; digit = *++at - 48u; } while (digit < 10 && at < pos + 18);
  if (*at != 32) return false;
  body_start = at + 1; body_pane = pane;
  return true;
}

static uint32_t parse(at_t limit, struct event *tape, uint32_t capacity, struct state *s, uint8_t *out) {
  at_t pos = s->pos;
  uint32_t in_block = s->in_block, flags = s->flags, raw = flags & LAZY ? RAW : 0, count = 0;
  while (count < capacity && pos < limit) {
    uint64_t head = u64(pos);
    if (!in_block) {
      uint32_t kind = 0, pane = 0;
      at_t body = NULL;
      if (head == 0x2074757074756f25) {
        uint32_t next = u32(pos + 8);
        pane = (next >> 8 & 255) - 48;
        if ((next & 0xff00ff) == 0x200025 && pane < 10) { kind = OUTPUT + raw; body = pos + 11; }
        else if (output_header(pos)) { kind = OUTPUT + raw; body = body_start; pane = body_pane; }
      } else if (head == 0x65646e6574786525 && u64(pos + 8) == 0x74757074756f2d64 && extended_header(pos)) {
        kind = (EXTENDED + raw) | (body_age << 8); body = body_start; pane = body_pane;
      }
      if (kind) {
        at_t at = body;
        int near = 4;
        while (near && *at != 10 && *at != 0x5c) { at++; near--; }
        if (!near) { uint32_t mask = special16(at); at = mask ? at + __builtin_ctz(mask) : special(at + 16); }
        at_t start = body, end = at;
        if (*at != 10) {
          if (!raw) { start = out; out = decode_line(body, at, out); end = out; at = decoded_line; }
          else end = at = line_feed(at);
        }
        if ((flags & STRIP_CR) && at > body && at[-1] == 13) end--;
        tape[count++] = (struct event){kind, pane, start, end};
        pos = at + 1;
        continue;
      }
      if ((head & 0xffff) == 0x5c1b && (flags & DCS)) {
        tape[count++] = (struct event){LEAVE, 0, pos, pos + 2};
        pos += 2;
        break;
      }
    }
    at_t lf = line_feed(pos), start = pos, last = lf;
    at_t end = (flags & STRIP_CR) && lf > pos && lf[-1] == 13 ? lf - 1 : lf;
    uint32_t kind = OTHER;
    if (in_block) {
      uint32_t close = (head & 0xffff) == 0x6525 ? closes(pos, end, s) : 0;
      if (close) { kind = close; in_block = 0; }
      else if ((flags & GLUED) && closes_glued(pos, end, s)) in_block = 0;
      else { kind = REPLY; last = end; }
    } else if (head << 8 == 0x206e696765622500 && end >= pos + 7) {
      uint32_t length = guard_length(pos + 7, end);
      if (length) {
        if (!(flags & EOL_KNOWN)) { flags |= EOL_KNOWN; if (end == lf) flags &= ~(uint32_t)STRIP_CR; }
        memcpy(s->guard, pos + 7, length);
        s->guard_length = length;
        in_block = 1; kind = BEGIN; start = pos + 7; last = end;
      }
    }
    tape[count++] = (struct event){kind, end != lf, start, last};
    pos = lf + 1;
  }
  s->pos = pos; s->in_block = in_block; s->flags = flags;
  return count;
}

static void put(uint32_t v) { fwrite(&v, 4, 1, stdout); }

int main(void) {
  uint32_t head[2];
  init();
  while (fread(head, 4, 2, stdin) == 2) {
    uint32_t length = head[1], total = 0;
    uint8_t *receive = calloc(1, length + READ_AHEAD), *out = malloc(length + WRITE_AHEAD);
    struct event *tape = malloc(EVENTS * sizeof *tape);
    struct state *state = calloc(1, sizeof *state);
    if (fread(receive, 1, length, stdin) != length) return 1;
    /* The kernel writes its out anew with each call; here each call's events are printed before the next. */
    state->pos = receive; state->flags = head[0];
    char *text = NULL; size_t text_size = 0;
    FILE *events = open_memstream(&text, &text_size);
    for (;;) {
      uint32_t count = parse(receive + length, tape, EVENTS, state, out);
      total += count;
      for (uint32_t i = 0; i < count; i++) {
        uint32_t size = (uint32_t)(tape[i].end - tape[i].start);
        fwrite(&tape[i].kind, 4, 1, events); fwrite(&tape[i].pane, 4, 1, events); fwrite(&size, 4, 1, events);
        fwrite(tape[i].start, 1, size, events);
      }
      if (count < EVENTS && state->pos >= receive + length) break;
    }
    fclose(events);
    put(total);
    fwrite(text, 1, text_size, stdout);
    free(text); free(receive); free(out); free(tape); free(state);
  }
  return 0;
}
