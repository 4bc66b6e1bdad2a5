/**
 * Real tmux servers for tests: the installed one and, if given, the binary in MILLRACE_TMUX. Each test has a
 * server of its own on a private socket, which is killed at the end.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlHandler, ControlParser } from '@millrace/tmux-proto';
import { CommandEncoder, Correlator } from '@millrace/tmux-proto/commands';

export interface Binary {
  path: string;
  version: string;
}

/** The binaries to test with; empty if there is none. */
export const binaries: Binary[] = ['tmux', process.env['MILLRACE_TMUX'] ?? ''].flatMap((path) => {
  if (path === '') return [];
  try {
    return [{ path, version: execFileSync(path, ['-V'], { encoding: 'utf8' }).trim().slice(5) }];
  } catch {
    return [];
  }
});

export class Server {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'millrace-proto-'));
  readonly child: ChildProcessWithoutNullStreams;
  readonly correlator: Correlator;
  readonly encoder: CommandEncoder;
  readonly ended: Promise<void>;
  readonly chunks: Buffer[] = [];

  constructor(binary: Binary, program: string, handler: ControlHandler = {}) {
    const { TMUX: _, TMUX_PANE: __, ...env } = process.env;
    this.child = spawn(
      binary.path,
      [
        '-S',
        join(this.folder, 's'),
        '-f',
        '/dev/null',
        '-C',
        'new-session',
        '-x',
        '100',
        '-y',
        '30',
        program,
      ],
      { env: { ...env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' } },
    );
    this.correlator = new Correlator((line) => this.child.stdin.write(line), { timeoutMs: 20_000 });
    this.encoder = new CommandEncoder(binary.version);
    const parser = new ControlParser(this.correlator.handler(handler), { framing: 'lines' });
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.chunks.push(Buffer.from(chunk));
      parser.push(chunk);
    });
    this.ended = new Promise((resolve) => {
      this.child.stdout.on('end', () => {
        parser.end();
        this.correlator.close();
        resolve();
      });
    });
  }

  async send(...words: (string | Uint8Array)[]): Promise<readonly string[]> {
    return (await this.correlator.request(this.encoder.command(...words))).lines;
  }

  async close(): Promise<void> {
    this.correlator.request('kill-server\n').catch(() => {});
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.ended;
    clearTimeout(timer);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `condition` holds; throws after 20 s, so that a test can clean up before its own time is over. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
