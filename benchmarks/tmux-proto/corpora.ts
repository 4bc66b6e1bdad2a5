/**
 * What is parsed: streams of whole lines, made from a fixed seed, and recordings of a real tmux made at run time.
 *
 * log: CRLF log lines. color: `ls --color` like text with redraws. utf8: mixed scripts. dense: every byte is
 * escaped, the worst case. tiny: keystroke echoes. extended: log behind `pause-after`. raw: nothing to decode.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeOutput } from '@millrace/tmux-proto';

export type CorpusName = 'raw' | 'log' | 'color' | 'utf8' | 'dense' | 'tiny' | 'extended';

/** tmux cuts %output at 8192 / 3 raw bytes, whatever is in it. */
const RAW_BYTES_MAX = 2730;
const WORDS = (
  'request served from cache upstream timeout retry worker started connection closed by peer GET POST ' +
  '/api/v1/users /static/app.js 200 404 503 in ms bytes INFO WARN ERROR DEBUG module parser index'
).split(' ');
const SCRIPTS = [
  '日本語',
  'привет',
  'größe',
  '│',
  '─────',
  '✓',
  '😀',
  'naïve',
  '한국어',
  '└── ',
  '数据',
];

type Random = (below: number) => number;
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;

export function logLine(random: Random): string {
  let text = `2026-01-${String(1 + random(28)).padStart(2, '0')}T${random(24)}:11:42.${random(1000)}Z `;
  for (let count = 4 + random(12); count > 0; count--) text += `${pick(random, WORDS)} `;
  return `${text}\r\n`;
}
function colorLine(random: Random): string {
  let text = '';
  for (let count = 3 + random(6); count > 0; count--) {
    const kind = random(10);
    if (kind < 4) text += `\x1b[01;34m${pick(random, WORDS)}\x1b[0m  `;
    else if (kind < 7) text += `\x1b[38;5;${random(256)}m${pick(random, WORDS)}\x1b[m `;
    else text += `${pick(random, WORDS)}\t`;
  }
  return text + (random(10) < 3 ? `\x1b[K\x1b[${1 + random(50)};${1 + random(80)}H` : '\r\n');
}
function scriptLine(random: Random): string {
  let text = '';
  for (let count = 6 + random(12); count > 0; count--) text += `${pick(random, SCRIPTS)} `;
  return `${text}\r\n`;
}
function denseLine(random: Random): string {
  return String.fromCharCode(...Array.from({ length: 64 }, () => random(32)));
}

const LINES: Record<string, (random: Random) => string> = {
  raw: (random) => logLine(random).replaceAll(/[\r\n]/g, ' '),
  log: logLine,
  color: colorLine,
  utf8: scriptLine,
  dense: denseLine,
};

/** Builds about `bytes` bytes of a corpus. */
export function synthetic(name: CorpusName, bytes: number): Buffer {
  const random = seeded(7 + name.length * 977 + name.charCodeAt(0));
  const parts: Buffer[] = [];
  let total = 0;
  while (total < bytes) {
    let line: Buffer;
    if (name === 'tiny') {
      const kind = random(20);
      const text =
        kind < 18
          ? String.fromCharCode(97 + random(26))
          : kind === 18
            ? '\\010\\033[K'
            : '\\015\\012';
      line = Buffer.from(`%output %${random(3)} ${text}\n`, 'latin1');
    } else {
      const length = 600 + random(RAW_BYTES_MAX - 700);
      let text = '';
      while (text.length < length) text += LINES[name === 'extended' ? 'log' : name]!(random);
      const head =
        name === 'extended'
          ? `%extended-output %${random(4)} ${random(50)} : `
          : `%output %${random(4)} `;
      line = Buffer.concat([Buffer.from(head), escapeOutput(Buffer.from(text)), Buffer.from('\n')]);
    }
    parts.push(line);
    total += line.length;
  }
  return Buffer.concat(parts);
}

const cache = new Map<string, Buffer>();
/** A corpus of 4 MiB, built once. */
export function corpus(name: CorpusName): Buffer {
  let bytes = cache.get(name);
  if (bytes === undefined) {
    bytes = synthetic(name, 4 << 20);
    cache.set(name, bytes);
  }
  return bytes;
}

const works = (command: string, ...args: string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
export const hasTmux: boolean = works('tmux', '-V');
export const hasVim: boolean = works('vim', '--version');

/** A private tmux server whose one pane runs `program`. */
export function startTmux(program: string) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-tmux-'));
  const { TMUX: _tmux, TMUX_PANE: _pane, ...env } = process.env;
  const args = ['-S', join(folder, 's'), '-f', '/dev/null'];
  const child = spawn('tmux', [...args, '-C', 'new-session', '-x', '200', '-y', '50', program], {
    env: { ...env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    if (works('tmux', ...args, 'kill-server')) await ended;
    else child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return { child, folder, stop };
}

/** Records vim paging through a highlighted C file: about `bytes` bytes, at most 20 s. */
export async function recordVim(bytes: number): Promise<Buffer> {
  const random = seeded(42);
  const folder = mkdtempSync(join(tmpdir(), 'bench-vim-'));
  const lines = Array.from(
    { length: 8000 },
    () =>
      `static int fn_${random(1000)}(const char *s) { /* ${logLine(random).trim()} */ return 0x${random(65536).toString(16)}; }`,
  );
  writeFileSync(join(folder, 'x.c'), lines.join('\n'));
  const { child, stop } = startTmux(
    `vim -u NONE -N -c 'syntax on' -c 'set nu' ${folder}/x.c; sleep 60`,
  );
  const chunks: Buffer[] = [];
  let total = 0;
  child.stdout!.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    total += chunk.length;
  });
  const from = performance.now();
  for (let keys = 0; total < bytes && performance.now() - from < 20_000; keys++) {
    child.stdin!.write(keys % 300 < 150 ? 'send-keys C-d\n' : 'send-keys C-u\n');
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await stop();
  rmSync(folder, { recursive: true, force: true });
  const all = Buffer.concat(chunks);
  const whole = all.subarray(0, all.lastIndexOf(10) + 1);
  // Long enough for a sample, with the proportions of the recording.
  return Buffer.concat(Array.from({ length: Math.ceil((4 << 20) / whole.length) }, () => whole));
}
