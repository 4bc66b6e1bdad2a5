/** Runs `millrace` as a process with a temporary folder of its own, and proves that nothing of it is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { until } from './tmux.ts';

const inDist = process.env['MILLRACE_DIST'] !== undefined;
/** The command: of the sources, or as it is published. */
export const cli: string = fileURLToPath(
  new URL(inDist ? '../../dist/cli.js' : '../../src/cli/main.ts', import.meta.url),
);

/** A command that runs. */
export interface Run {
  readonly child: ChildProcess;
  output: string;
  errors: string;
  /** Exit status and signal. */
  readonly ended: Promise<[code: number | null, signal: string | null]>;
}

/** A folder in which commands run. */
export class CommandFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  readonly #children: ChildProcess[] = [];

  /** Starts `millrace` with these arguments. */
  start(args: readonly string[], env: Record<string, string> = {}): Run {
    const child = spawn(process.execPath, [...process.execArgv, cli, ...args], {
      env: { ...process.env, TMPDIR: this.path, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    const ended = once(child, 'close') as Run['ended'];
    const run: Run = { child, output: '', errors: '', ended };
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      run.output += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      run.errors += text;
    });
    return run;
  }

  /** Nothing of ours is left: no file, and no process that names the folder or was started with it as its own. */
  async expectNothingLeft(): Promise<void> {
    await until(() => readdirSync(this.path).length === 0, 10_000);
    if (existsSync('/proc')) await until(() => this.#processes().length === 0, 10_000);
    expect(this.#processes()).toEqual([]);
  }

  #processes(): string[] {
    if (!existsSync('/proc')) return [];
    const processes = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
          return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}\n${environment}`;
        } catch {
          return ''; // it has just ended
        }
      });
    return processes.filter((process) => process.includes(this.path));
  }

  /** Ends what still runs, and removes the folder. */
  async close(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) {
        await once(child, 'close');
      }
    }
    rmSync(this.path, { recursive: true, force: true });
  }
}
