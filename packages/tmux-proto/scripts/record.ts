// Records control-mode streams of a real tmux for test/recordings.test.ts, with the counts and digests that the
// slow oracle of the tests finds in them, not the parser: `node --conditions=@millrace/source scripts/record.ts
// [--tmux PATH] [--folder FOLDER]`. Every server is private and killed at the end.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { oracle } from '../test/support/oracle.ts';

const { values } = parseArgs({
  options: {
    tmux: { type: 'string', default: 'tmux' },
    folder: { type: 'string', default: join(import.meta.dirname, '../test/fixtures/recordings') },
  },
});
const version = execFileSync(values.tmux, ['-V'], { encoding: 'utf8' }).trim().slice(5);

/** What is sent, a line each; between two lines the recorder waits until tmux has caught up. */
const SCENARIOS: Record<string, { about: string; program: string; lines: string[] }> = {
  'script-windows': {
    about: 'windows and panes made, split, renamed, zoomed, swapped, closed',
    program: 'exec cat',
    lines: [
      'new-window -n one "exec cat"',
      'split-window -h "exec cat"',
      'split-window -v "exec cat"',
      'select-layout tiled',
      'resize-pane -Z',
      'resize-pane -Z',
      'swap-pane -U',
      'rename-window "a  b"',
      'rename-window ""',
      'new-session -d -s other "exec cat"',
      'new-window -d -t other: "exec cat"',
      'rename-window -t other:1 unlinked',
      'kill-window -t other:1',
      'rename-session renamed',
      'last-window',
      'kill-pane',
      'kill-window -t :1',
    ],
  },
  'script-output': {
    about: 'colours, control bytes, invalid UTF-8, echoed keys',
    program: `printf '\\033[31mred\\033[m \\\\ \\001\\002\\037\\177 \\200\\376\\377 ─│日本語😀\\r\\n'; seq 1 3000; exec cat`,
    lines: [
      'send-keys -l -- "typed \\\\ text"',
      'send-keys Enter',
      'send-keys C-a M-x',
      'capture-pane -p -e',
    ],
  },
  'script-replies': {
    about: 'errors, sequences, look-alikes inside of replies, jobs that print later',
    program: 'exec cat',
    lines: [
      'bogus',
      'kill-pane -t %99',
      'display-message -p "%end 1 1 1" ; display-message -p "%exit"',
      'set-buffer "%begin 1 1 1\\n%output %0 x\\n\\033P1000p"',
      'show-buffer',
      'list-keys',
      '# comment',
      'run-shell "echo later; echo %end 1 1 1"',
      'if-shell true "display-message -p yes"',
      'list-windows ; bogus',
    ],
  },
};

async function record(program: string, lines: readonly string[]): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'record-'));
  const { TMUX: _tmux, TMUX_PANE: _pane, ...env } = process.env;
  const args = [
    '-S',
    join(folder, 's'),
    '-f',
    '/dev/null',
    '-C',
    'new-session',
    '-x',
    '100',
    '-y',
    '30',
    program,
  ];
  const child = spawn(values.tmux, args, { env: { ...env, TERM: 'xterm', LC_ALL: 'C.UTF-8' } });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(300);
  for (const [index, line] of lines.entries()) {
    child.stdin.write(`${line}\ndisplay-message -p sync-${index}.\n`);
    while (!Buffer.concat(chunks).includes(`sync-${index}.`)) await pause(5);
  }
  await pause(100);
  child.stdin.write('kill-server\n');
  await ended;
  rmSync(folder, { recursive: true, force: true });
  return Buffer.concat(chunks);
}

/** Counts and digests, from the oracle's events. */
function expectations(bytes: Buffer) {
  const counts: Record<string, number> = {};
  const panes: Record<string, Buffer[]> = {};
  const names: Record<string, string> = {
    begin: 'block',
    extended: 'extended-output',
    text: 'passthrough',
  };
  for (const event of oracle(bytes.toString('latin1'), { framing: 'lines' })) {
    const [kind, first, second] = event.split(' ', 3) as [string, string, string];
    if (kind === 'end' || kind === 'error' || kind === 'reply') continue;
    const name = kind === 'notification' ? first : (names[kind] ?? kind);
    counts[name] = (counts[name] ?? 0) + 1;
    const head = kind === 'output' ? `output ${first} ` : `extended ${first} ${second} `;
    if (kind === 'output' || kind === 'extended') {
      panes[first] ??= [];
      panes[first].push(Buffer.from(event.slice(head.length), 'latin1'));
    }
  }
  const digests = Object.entries(panes).map(([pane, parts]) => {
    const whole = Buffer.concat(parts);
    return [pane, { len: whole.length, sha256: createHash('sha256').update(whole).digest('hex') }];
  });
  return { counts, panes: Object.fromEntries(digests) };
}

mkdirSync(values.folder, { recursive: true });
const path = join(values.folder, 'index.json');
const index = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
for (const [name, { about, program, lines }] of Object.entries(SCENARIOS)) {
  const bytes = await record(program, lines);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(values.folder, `${version}.${name}.bin.gz`), gzipSync(bytes, { level: 9 }));
  index[`${version}.${name}`] = {
    tmux: version,
    mode: '-C',
    eol: '\n',
    bytes: bytes.length,
    sha256,
    about,
    ...expectations(bytes),
    groundTruth: {},
  };
  console.log(`${version}.${name}: ${bytes.length} bytes`);
}
writeFileSync(path, `${JSON.stringify(index, null, 1)}\n`);
