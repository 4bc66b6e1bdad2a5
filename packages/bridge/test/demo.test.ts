/**
 * Goal: `millrace demo` shows live figures, judges the floors, and leaves nothing behind, however it ends.
 * Method: the command as a process, with a temporary folder of its own that must be empty afterwards.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasTmux, testServer, until } from './support/tmux.ts';

const inDist = process.env['MILLRACE_DIST'] !== undefined;
const cli = fileURLToPath(
  new URL(inDist ? '../dist/cli.js' : '../src/cli/main.ts', import.meta.url),
);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) {
      await once(child, 'close');
    }
  }
  rmSync(directory, { recursive: true, force: true });
});

const children: ChildProcess[] = [];

interface Run {
  readonly child: ChildProcess;
  output: string;
  errors: string;
}

function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [...process.execArgv, cli, ...args], {
    env: { ...process.env, TMPDIR: directory, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const run: Run = { child, output: '', errors: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    run.output += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    run.errors += text;
  });
  return run;
}

/** Nothing of ours is left: no file, and no tmux that runs on a socket in our folder. */
async function expectNothingLeft(): Promise<void> {
  await until(() => readdirSync(directory).length === 0, 10_000);
  if (existsSync('/proc')) await until(() => processesOf(directory).length === 0, 10_000);
}

/** Command lines of the running processes that name the folder. */
function processesOf(folder: string): string[] {
  const commands = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return ''; // it has just ended
      }
    });
  return commands.filter((command) => command.includes(folder));
}

describe('millrace demo', () => {
  test.skipIf(!hasTmux)('measures on a live tmux and leaves nothing behind', async () => {
    const run = start(['demo', '--scale', '0.2']);
    const [code] = await once(run.child, 'close');
    expect(run.errors).toBe('');
    expect(code).toBe(0);
    expect(run.output).toMatch(/^inline, live on tmux .* records\/s {3}read to sink p50/m);
    expect(run.output).toMatch(/^worker, live on tmux /m);
    // Every floor has a verdict of its own; nothing was skipped.
    const verdicts = run.output.match(/(holds|falls short|for comparison)$/gm);
    expect(verdicts).toHaveLength(10);
    expect(run.output).not.toContain('not run');
    expect(run.output).toMatch(/bytes lost +0 +0 +holds/);
    await expectNothingLeft();
  });

  test('without tmux plays the recording and says so', async () => {
    const run = start(['demo', '--scale', '0.2'], { MILLRACE_TMUX: '/nowhere/tmux' });
    const [code] = await once(run.child, 'close');
    expect(run.errors).toBe('');
    expect(code).toBe(0);
    expect(run.output).toContain('playing the recording that ships with the package instead');
    expect(run.output).toMatch(/^inline, recording of tmux /m);
    expect(run.output.match(/not run \(no tmux\)$/gm)).toHaveLength(3);
    expect(run.output).toMatch(/throughput .* (holds|falls short)$/m);
    await expectNothingLeft();
  });

  test.skipIf(!hasTmux).each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends in order on %s', async (signal, code) => {
    const run = start(['demo']);
    await until(() => run.output.includes('inline, live'));
    run.child.kill(signal);
    expect(await once(run.child, 'close')).toEqual([code, null]);
    expect(run.errors).toBe('');
    await expectNothingLeft();
  });

  test.skipIf(!hasTmux).each(['inline, live', 'worker, live'])(
    'leaves nothing behind when it is killed during: %s',
    async (phase) => {
      const run = start(['demo', '--scale', '0.3']);
      await until(() => run.output.includes(phase));
      run.child.kill('SIGKILL');
      await once(run.child, 'close');
      await expectNothingLeft();
    },
  );

  test.skipIf(!hasTmux)('doctor examines the tmux at hand', async () => {
    const run = start(['doctor', '--seconds', '0.5']);
    expect((await once(run.child, 'close'))[0]).toBe(0);
    expect(run.output).toMatch(/^tmux \S+: supported$/m);
    expect(run.output).toMatch(/^idle: key to echo p50 /m);
    expect(run.output).toMatch(/^while another pane floods: key to echo p50 /m);
    await expectNothingLeft();
  });

  test.skipIf(!hasTmux)('top shows a session that is there, and record keeps it', async () => {
    const server = testServer();
    try {
      server.run('new-session', '-d', '-s', 'main', 'while :; do echo tick; sleep 0.02; done');
      const top = start(['top', '-S', server.socketPath, '-t', 'main', '--seconds', '1.2']);
      expect((await once(top.child, 'close'))[0]).toBe(0);
      expect(top.output).toMatch(/^main on tmux .* records\/s/m);
      const path = join(server.directory, 'recording');
      const record = start(['record', path, '-S', server.socketPath, '--seconds', '0.5']);
      expect((await once(record.child, 'close'))[0]).toBe(0);
      expect(record.output).toMatch(/records; closed$/m);
      const replay = start(['replay', path, '--max']);
      expect((await once(replay.child, 'close'))[0]).toBe(0);
      expect(replay.output).toMatch(/^read to sink /m);
      const missing = start(['top', '-S', join(server.directory, 'nobody')]);
      expect((await once(missing.child, 'close'))[0]).toBe(1);
      expect(missing.errors).toContain('ERR_TMUX_CONNECT');
    } finally {
      server.close();
    }
  });
});
