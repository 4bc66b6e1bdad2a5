// Writes terminal output in random pieces of 1 to 40 bytes, for ever: colour runs, wide and combining characters,
// alternate screen, scroll regions, modes, saved cursors. Only sequences that tmux and xterm.js treat alike.
// Usage: node resync-producer.mjs SEED COLUMNS ROWS [KINDS]
import { writeSync } from 'node:fs';

const [seed, columns, rows, kinds = 'all'] = process.argv
  .slice(2)
  .map((word, index) => (index < 3 ? Number(word) : word));
let state = seed >>> 0 || 1;
const next = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
};
const below = (limit) => next() % limit;
const pick = (list) => list[below(list.length)];

const words = [
  'plain',
  'text',
  '日本語',
  'é',
  'wörld',
  '漢字',
  'e\u0301a\u0300',
  '─│┌',
  '0123456789',
  '\\',
  ' ',
  '  ',
  'かな',
];
const colour = () =>
  pick([
    () => `3${below(8)}`,
    () => `9${below(8)}`,
    () => `38;5;${below(256)}`,
    () => `38;2;${below(256)};${below(256)};${below(256)}`,
    () => `4${below(8)}`,
    () => `48;5;${below(256)}`,
    () => `48;2;${below(256)};${below(256)};${below(256)}`,
    () => pick(['1', '2', '3', '4', '7', '9', '22', '23', '24', '27', '29', '39', '49', '0', '']),
  ])();
const sgr = () => `\x1b[${Array.from({ length: 1 + below(2) }, colour).join(';')}m`;
const text = () => Array.from({ length: 1 + below(5) }, () => pick(words)).join('');
const row = () => `\x1b[${1 + below(rows)};1H`;
// A line feed, a wrap and an erasure fill with the background, which capture-pane doesn't show: mostly the default one.
const plain = () => (below(100) === 0 ? '' : '\x1b[49m');
// tmux and xterm.js differ on cells that lose half of a wide character, so a row is cleared before it is written to.
const fresh = () => `${plain()}${row()}\x1b[2K\x1b[${1 + below(columns >> 1)}C`;

let alternate = false;
const units = {
  run: () => `${sgr()}\x1b[49m${text()}`,
  line: () => `${text()}${plain()}\r\n`,
  place: () => `${fresh()}${sgr()}${pick(words)}${sgr()}${pick(words)}`,
  erase: () =>
    `${plain()}${row()}${pick(['\x1b[K', '\x1b[J', '\x1b[2J', '\x1b[L', '\x1b[M', '\x1b[2P', '\x1b[3@'])}\r`,
  region: () => {
    const top = 1 + below(rows - 3);
    const bottom = Math.min(rows, top + 2 + below(rows - top - 1));
    return `${plain()}\x1b[${top};${bottom}r${row()}${text()}\r\n${text()}\r\n`;
  },
  whole: () => `\x1b[r${row()}`,
  save: () => `\x1b7${fresh()}${sgr()}${pick(words)}\x1b8`,
  saved: () => `${sgr()}${pick(words)}\x1b7`,
  restore: () => '\x1b8\x1b[49m\x1b[K',
  alternate: () => {
    if (below(4) > 0) return text();
    alternate = !alternate;
    // The two keep what DECSC saves in different places while the alternate screen is on.
    return `\x1b[m\x1b[r\x1b[?1049${alternate ? 'h\x1b[2J' : 'l'}\x1b[r\x1b[H\x1b7`;
  },
  mode: () => `\x1b[?${pick([1, 25, 1000, 1002, 1006, 2004])}${pick(['h', 'l'])}`,
  keypad: () => pick(['\x1b=', '\x1b>']),
  charset: () => pick(['\x1b(0lqqk\x1b(B', '\x1b)0ab\x0exqx\x0fc']),
  title: () => `\x1b]2;${text()}\x07`,
  style: () => `\x1b[${below(7)} q`,
  clear: () => (below(5) === 0 ? '\x1b[m\x1b[2J\x1b[H' : ''),
};
const names =
  kinds === 'all'
    ? [...Object.keys(units), 'run', 'run', 'run', 'line', 'line', 'line', 'place']
    : kinds.split(',');

const pause = new Int32Array(new SharedArrayBuffer(4));
let buffer = Buffer.alloc(0);
for (;;) {
  while (buffer.length < 40) buffer = Buffer.concat([buffer, Buffer.from(units[pick(names)]())]);
  const length = 1 + below(40);
  writeSync(1, buffer.subarray(0, length));
  buffer = buffer.subarray(length);
  if (below(20) === 0) Atomics.wait(pause, 0, 0, 1);
}
