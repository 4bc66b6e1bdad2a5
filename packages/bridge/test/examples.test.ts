/**
 * Goal: the examples do what their first lines say. Method: each as a process against a private tmux.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  canResync,
  hasTmux,
  type TestServer,
  testServer,
  tmuxProgram,
  until,
} from './support/tmux.ts';

let server: TestServer;
const children: ChildProcess[] = [];
beforeEach(() => {
  server = testServer();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'close');
  }
  server.close();
});

function run(name: string, args: readonly string[], env: Record<string, string> = {}) {
  const file = fileURLToPath(new URL(`../examples/${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], {
    env: { ...process.env, ...env },
  });
  children.push(child);
  const result = { child, output: '', errors: '', ended: once(child, 'close') };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.errors += text;
  });
  return result;
}

describe.skipIf(!hasTmux)('examples', () => {
  // It begins with what the pane showed before, which is restored since tmux 3.2.
  test.skipIf(!canResync)('headless-mirror shows the screen, and each change', async () => {
    server.run(
      'new-session',
      '-d',
      '-s',
      'main',
      '-x',
      '60',
      '-y',
      '10',
      'echo 日本 first; exec cat',
    );
    const mirror = run('headless-mirror', ['-S', server.socketPath, '-t', 'main']);
    await until(() => mirror.output.includes('── pane %0\n日本 first'));
    server.run('send-keys', '-t', 'main', 'second', 'Enter');
    await until(() => mirror.output.includes('日本 first\nsecond\nsecond'));
    mirror.child.kill('SIGINT');
    expect(await mirror.ended).toEqual([0, null]);
    expect(mirror.output).toMatch(/closed\n$/);
    expect(mirror.errors).toBe('');
  });

  test('any-transport reaches a tmux through another program', async () => {
    server.run('new-session', '-d', '-s', 'main', 'while :; do echo tick; sleep 0.02; done');
    // What ssh would carry: a command line for a shell on the other side.
    const line = `exec '${tmuxProgram}' -S '${server.socketPath}' -u -C attach -t main`;
    const far = run('any-transport', ['sh', '-c', line], { SECONDS: '1' });
    expect(await far.ended).toEqual([0, null]);
    expect(far.output).toMatch(/^tmux \S+ with 1 panes\n%0 \w+\n/);
    expect(far.output).toMatch(/\n\d+ bytes, [1-9]\d* records, read to sink P99 \S+ ms; closed\n$/);
    expect(far.errors).toBe('');
  });

  test('watch-for sees a pattern once per line, in colour and after a flood', async () => {
    const program =
      'stty raw -echo; read -r go; seq 1 20000; printf "it \\033[31mFAILED\\033[0m in 日本\\n"; exec cat';
    server.run('new-session', '-d', '-s', 'main', '-x', '60', '-y', '10', program);
    const agent = run('watch-for', ['FAILED|^777$', '-S', server.socketPath, '--count', '2']);
    await until(() => server.run('list-clients', '-F', '#{client_control_mode}').includes('1'));
    server.run('send-keys', '-t', 'main', 'go', 'C-j');
    expect(await agent.ended).toEqual([0, null]);
    expect(agent.output.replace(/^\S+Z /gm, '')).toBe('%0 777\n%0 it FAILED in 日本\n');
    expect(agent.errors).toBe('');
  });

  test('watch-for ends also if it has seen enough before it is connected', async () => {
    server.run('new-session', '-d', '-s', 'main', 'exec yes FAILED');
    const agent = run('watch-for', ['FAILED', '-S', server.socketPath, '--count', '2']);
    expect(await agent.ended).toEqual([0, null]);
    expect(agent.output.replace(/^\S+Z /gm, '')).toBe('%0 FAILED\n%0 FAILED\n');
    expect(agent.errors).toBe('');
  });

  test.each(['any-transport', 'watch-for'])('%s says how it is used', async (name) => {
    const used = run(name, []);
    expect(await used.ended).toEqual([2, null]);
    expect(used.errors).toContain('usage: ');
  });
});
