/** How many columns a character takes, where terminals agree. */

/** Ranges (first, last) of characters that take one column in every terminal. */
const narrow = [
  0x20, 0x7e, 0xa1, 0xac, 0xae, 0x2ff, 0x370, 0x373, 0x384, 0x3ce, 0x400, 0x481, 0x2010, 0x2015,
  0x2018, 0x2027, 0x2190, 0x2199, 0x2500, 0x257f, 0x2580, 0x259f, 0x2713, 0x2718, 0x2800, 0x28ff,
  0xfffd, 0xfffd,
];
/** Ranges that take two. */
const wide = [
  0x1100, 0x115f, 0x3001, 0x3029, 0x3041, 0x3096, 0x30a1, 0x30ff, 0x3105, 0x312d, 0x3400, 0x4db5,
  0x4e00, 0x9fcb, 0xac00, 0xd7a3, 0xff01, 0xff60,
];

/** Ranges that take none: they join the character before. */
const joining = [0x300, 0x36f];

function within(ranges: readonly number[], code: number): boolean {
  for (let index = 0; index < ranges.length; index += 2) {
    if (code >= ranges[index]! && code <= ranges[index + 1]!) return true;
  }
  return false;
}

/** Returns the columns that `code` takes (0 to 2), or -1 if terminals may differ. */
export function widthOf(code: number): number {
  if (code < 0x7f) return code < 0x20 ? -1 : 1;
  if (within(wide, code)) return 2;
  if (within(narrow, code)) return 1;
  return within(joining, code) ? 0 : -1;
}

/** Whether captured rows have a character whose width terminals dispute; colours in them are passed over. */
export function isDisputed(rows: readonly string[]): boolean {
  for (const row of rows) {
    for (let at = 0; at < row.length; at++) {
      const code = row.codePointAt(at)!;
      if (code >= 0x7f && widthOf(code) < 0) return true;
      if (code > 0xffff) at++;
    }
  }
  return false;
}
