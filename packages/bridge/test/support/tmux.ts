/** A private tmux server for a test, and whether there is a tmux at all. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { supports } from '@millrace/tmux-proto/commands';

export const tmuxProgram: string = process.env['MILLRACE_TMUX'] ?? 'tmux';
const asked = spawnSync(tmuxProgram, ['-V'], { encoding: 'utf8' });
export const hasTmux: boolean = asked.error === undefined;
/** The version of that tmux, as it says it; empty without one. */
export const tmuxVersion: string = hasTmux ? asked.stdout.replace(/^\S+ /, '').trim() : '';
/** Whether there is one that pauses panes, and so resyncs, and has subscriptions: 3.2 or later. */
export const canResync: boolean = hasTmux && supports(tmuxVersion, 'flow-control');

export interface TestServer {
  readonly directory: string;
  readonly socketPath: string;
  /** Runs tmux on the server's socket and returns what it printed. */
  run(...args: string[]): string;
  close(): void;
}

/** Makes a folder with a socket path; the server starts with the first command. */
export function testServer(): TestServer {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const socketPath = join(directory, 'socket');
  const { TMUX: _, ...env } = process.env;
  const run = (...args: string[]): string =>
    spawnSync(tmuxProgram, ['-S', socketPath, '-f', '/dev/null', ...args], {
      env,
      encoding: 'utf8',
      timeout: 10_000,
    }).stdout;
  return {
    directory,
    socketPath,
    run,
    close: () => {
      run('kill-server');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Writes an executable shell script into the server's folder: a tmux that misbehaves. */
export function fakeTmux(server: TestServer, script: string): string {
  const path = join(server.directory, `fake-${Math.random().toString(36).slice(2)}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

/** Resolves when `condition` holds; throws after `timeoutMs`. */
export async function until(condition: () => boolean, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
