/**
 * What a program writes, piece by piece of 1 to 40 bytes: colour runs, wide and combining characters, alternate screen,
 * scroll regions, modes, saved cursors, full-screen frames. Only sequences that tmux and xterm.js treat alike.
 */

/**
 * Returns a function that gives the next piece.
 *
 * @param {{ seed: number, columns: number, rows: number, kinds: string }} options - `kinds`: names of units, separated
 *   by commas; `all`; `program`, a full-screen program; `halves`, which cuts wide characters
 * @returns {() => Buffer}
 */
export function pieces({ seed, columns, rows, kinds }) {
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
      () => `48:2::${below(256)}:${below(256)}:${below(256)}`,
      () =>
        pick([
          '1',
          '2',
          '3',
          '4',
          '7',
          '9',
          '53',
          '22',
          '23',
          '24',
          '27',
          '29',
          '55',
          '39',
          '49',
          '0',
          '',
        ]),
    ])();
  const sgr = () => `\x1b[${Array.from({ length: 1 + below(2) }, colour).join(';')}m`;
  const text = () => Array.from({ length: 1 + below(5) }, () => pick(words)).join('');
  const row = () => `\x1b[${1 + below(rows)};1H`;
  // tmux and xterm.js differ on the background of a row that a wrap scrolls in: the terminal's own, before text.
  const plain = '\x1b[49m';
  // They differ too on cells that lose half of a wide character, so a row is cleared before it is written to.
  const fresh = () => `${row()}\x1b[2K\x1b[${1 + below(columns >> 1)}C`;

  let alternate = false;
  const units = {
    run: () => `${sgr()}${plain}${text()}`,
    line: () => `${plain}${text()}${below(4) === 0 ? sgr() : ''}\r\n`,
    place: () => `${fresh()}${sgr()}${pick(words)}${sgr()}${pick(words)}`,
    erase: () =>
      `${below(4) === 0 ? '' : plain}${row()}${pick(['\x1b[K', '\x1b[J', '\x1b[1J', '\x1b[2J', '\x1b[L', '\x1b[M', '\x1b[3S', '\x1b[2T', '\x1b[7X'])}\r`,
    shift: () =>
      `${plain}${row()}\x1b[2K${text().slice(0, 6)}${pick(['\x1b[2P', '\x1b[3@', '\x1b[4h\rin\x1b[4l'])}\r`,
    region: () => {
      const top = 1 + below(rows - 3);
      const bottom = Math.min(rows, top + 2 + below(rows - top - 1));
      return `${plain}\x1b[${top};${bottom}r${row()}${text()}\r\n${text()}\r\n`;
    },
    whole: () => `\x1b[r${row()}`,
    origin: () =>
      `${plain}\x1b[3;${rows - 1}r\x1b[?6h\x1b[2;3H\x1b[2K${pick(words)}${pick(['\x1b[?6l', ''])}\r`,
    nowrap: () => `${plain}\x1b[?7l${row()}\x1b[2K${'nowrap'.repeat(8)}\x1b[?7h\r`,
    insert: () =>
      `${plain}${row()}\x1b[2Kabc\r\x1b[4h${sgr()}${plain}xy${pick(['\x1b[4l', '\x1b[4l', ''])}`,
    tabs: () => pick(['\ta', '\x1bH', '\x1b[3g\x1b[9G\x1bH\r\tt', '\x1b[Z']),
    // tmux saves the origin mode too, xterm.js doesn't.
    save: () => `\x1b[?6l\x1b7${fresh()}${sgr()}${pick(words)}\x1b8`,
    saved: () => `${plain}\x1b[?6l\x1b[4l${sgr()}${pick(words)}\r\x1b7`,
    restore: () => '\x1b[?6l\x1b8\x1b[49m\x1b[K',
    alternate: () => {
      if (below(4) > 0) return `${plain}${text()}`;
      alternate = !alternate;
      // The two keep what DECSC saves in different places while the alternate screen is on.
      return `\x1b[m\x1b[?6l\x1b[4l\x1b[r\x1b[?1049${alternate ? 'h\x1b[2J' : 'l'}\x1b[r\x1b[H\x1b7`;
    },
    mode: () => `\x1b[?${pick([1, 25, 1000, 1002, 1003, 1004, 1006, 2004])}${pick(['h', 'l'])}`,
    keypad: () => pick(['\x1b=', '\x1b>']),
    charset: () => pick(['\x1b(0lqqk\x1b(B', '\x1b)0ab\x0exqx\x0fc']),
    /** Wide characters, of which one loses a half. */
    half: () => {
      const wide = Array.from({ length: 2 + below(6) }, () =>
        pick(['日本', 'a', '漢', 'か', 'bc']),
      ).join('');
      const to = (x) => `\x1b[${1 + x}G`;
      const coloured = `${below(2) === 0 ? '' : plain}${to(below(12))}`;
      const cut = pick([
        () =>
          `${coloured}${pick(['\x1b[K', '\x1b[1K', '\x1b[1J', '\x1b[J', '\x1b[X', '\x1b[2X', '\x1b[3X'])}`,
        () =>
          `${plain}${to(below(12))}${pick(['\x1b[P', '\x1b[2P', '\x1b[3P', '\x1b[@', '\x1b[2@'])}`,
        () => `${plain}${to(below(12))}\x1b[4h${pick(['i', '入', 'ab'])}\x1b[4l`,
        () => `${plain}${to(below(12))}${pick(['o', 'ö', '上', '─'])}`,
      ]);
      const more =
        below(2) === 0 ? '' : `${sgr()}${plain}${to(below(columns - 4))}${pick(['z', '終', 'ok'])}`;
      return `${row()}${plain}\x1b[2K${sgr()}${below(2) === 0 ? plain : ''}${wide}${cut()}${more}\r`;
    },
    title: () => `\x1b]2;${text()}${pick(['\x07', '\x1b\\'])}`,
    style: () => `\x1b[${below(7)} q`,
    clear: () => (below(5) === 0 ? '\x1b[m\x1b[?6l\x1b[4l\x1b[2J\x1b[H' : ''),
    update: () => `\x1b[?2026h${fresh()}${sgr()}${pick(words)}\x1b[?2026l`,
    /** A full-screen program: status bars erased in colour, a scrolling list, a cursor that is hidden meanwhile. */
    frame: () => {
      const bar = (y, title) =>
        `\x1b[${y};1H\x1b[0;${pick([30, 37])};${40 + below(8)}m\x1b[K ${title}`;
      const body = Array.from({ length: 1 + below(4) }, () => {
        const y = 2 + below(rows - 2);
        return `\x1b[${y};1H\x1b[0;${40 + below(8)}m\x1b[2K${sgr()}${pick(words)} ${below(1000)}${sgr()}\x1b[K`;
      }).join('');
      const scroll = `\x1b[2;${rows - 1}r\x1b[${rows - 1};1H\x1b[0;4${below(8)}m${pick(['\n', '\x1bD', '\x1b[2;1H\x1bM', '\x1b[2M', '\x1b[2;1H\x1b[L'])}\x1b[r`;
      return `\x1b[?25l${bar(1, 'top')}${body}${scroll}${bar(rows, text())}\x1b[0m\x1b[${2 + below(rows - 2)};3H\x1b[?25h`;
    },
  };
  const names =
    kinds === 'all'
      ? [...Object.keys(units), 'run', 'run', 'run', 'run', 'line', 'line', 'line', 'line', 'place']
      : kinds === 'program'
        ? ['frame', 'frame', 'frame', 'run', 'place', 'mode', 'style', 'title']
        : kinds === 'halves'
          ? [
              'half',
              'half',
              'half',
              'half',
              'run',
              'line',
              'place',
              'erase',
              'region',
              'tabs',
              'alternate',
            ]
          : kinds.split(',');

  let buffer =
    kinds === 'program'
      ? Buffer.from(
          '\x1b[m\x1b)0\x1b[2J\x1b[H\x1b7\x1b[m\x1b[?1049h\x1b[2J\x1b[?1h\x1b=\x1b[?1000h\x1b[?1006h',
        )
      : // tmux saves the character sets with the cursor, xterm.js only the one in use: both begin with the same.
        Buffer.from('\x1b[m\x1b)0\x1b[2J\x1b[H\x1b7');
  return () => {
    while (buffer.length < 40) buffer = Buffer.concat([buffer, Buffer.from(units[pick(names)]())]);
    const length = 1 + below(40);
    const piece = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return piece;
  };
}
