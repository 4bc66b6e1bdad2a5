/**
 * Goal: a program that is stuck doesn't keep the user's tmux server from serving others, or from ending.
 * Method: a program in a process of its own blocks its main thread while its pane floods; the server is asked to end.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasTmux, type TestServer, testServer, tmuxProgram, until } from './support/tmux.ts';

let server: TestServer;
let stuck: ChildProcess | undefined;
beforeEach(() => {
  server = testServer();
});
afterEach(() => {
  stuck?.kill('SIGCONT');
  stuck?.kill('SIGKILL');
  server.close();
});

const fixture = fileURLToPath(new URL('./fixtures/stuck.mjs', import.meta.url));

/** The program runs on when this file is there. */
const release = (): string => join(server.directory, 'release');

/** Starts the program; resolves when it has connected, with its output from then on. */
async function start(worker: boolean, watchdogMs: number): Promise<() => string> {
  server.run('new-session', '-d', '-s', 'main', 'exec seq 1 1000000000');
  const args = [fixture, server.socketPath, worker, watchdogMs, release()].map(String);
  stuck = spawn(process.execPath, [...process.execArgv, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  stuck.stdout!.on('data', (text) => {
    said += text;
  });
  await until(() => said.includes('connected'));
  return () => said;
}

/** The guardians of this test: shells that know its limit. */
const guardians = (): string =>
  spawnSync('ps', ['-e', '-o', 'pid=,args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes('read -r word pid') && line.includes(' 0.777'))
    .join('\n');

const clients = (): Promise<string> =>
  new Promise((resolve) => {
    const args = ['-S', server.socketPath, 'list-clients'];
    execFile(tmuxProgram, args, { timeout: 2000 }, (error, stdout) =>
      resolve(error === null ? stdout : 'no answer'),
    );
  });

describe.skipIf(!hasTmux).each([{ worker: false }, { worker: true }])(
  'the main thread is stuck, worker: $worker',
  ({ worker }) => {
    test('the client is ended, the server can end, and the program is told', async () => {
      const said = await start(worker, 777);
      expect(guardians()).not.toBe('');
      let left = await clients();
      expect(left).toContain(': main ');
      stuck!.stdin!.write('.');
      while (left !== '') left = await clients();
      expect(said()).toBe('connected\n'); // still stuck
      expect(server.run('new-session', '-d', '-P', 'sleep 60')).not.toBe('');
      server.run('kill-server');
      await until(() => server.run('list-sessions') === '');
      const ended = once(stuck!, 'exit');
      writeFileSync(release(), '');
      await ended;
      expect(said()).toBe('connected\nERR_WATCHDOG\n');
      await until(() => guardians() === '');
    });

    test('a program that is stopped is stuck too', async () => {
      await start(worker, 777);
      stuck!.kill('SIGSTOP');
      while ((await clients()) !== '');
      server.run('kill-server');
      await until(() => server.run('list-sessions') === '');
      stuck!.kill('SIGKILL');
      await until(() => guardians() === '');
    });
  },
);

test.skipIf(!hasTmux)('without it the server could not end', async () => {
  await start(false, 0);
  stuck!.stdin!.write('.');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const args = ['-S', server.socketPath, 'kill-server'];
  spawnSync(tmuxProgram, args, { timeout: 1500 });
  const pid = Number(
    spawnSync('ps', ['-e', '-o', 'pid=,args='], { encoding: 'utf8' })
      .stdout.split('\n')
      .find((line) => line.includes(`${server.socketPath} -f`) && line.includes('new-session'))
      ?.trim()
      .split(' ')[0],
  );
  expect(() => process.kill(pid, 0)).not.toThrow();
  stuck!.kill('SIGKILL');
  // It ends now, but for 3.7c, which doesn't even then.
  if (/ 3\.7/.test(server.run('-V'))) process.kill(pid, 'SIGKILL');
  await until(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
});
