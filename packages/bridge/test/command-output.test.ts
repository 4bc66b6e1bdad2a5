/**
 * Goal: `millrace` ends in order when its output can go nowhere, says so where that is a failure, and never leaves a
 * recording that nobody asked for. Method: the command as a process, on a private tmux; `/dev/full` is a full disk.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandFolder, cli } from './support/command.ts';
import { fakeTmux, hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

let folder: CommandFolder;
let server: TestServer;
beforeEach(() => {
  folder = new CommandFolder();
  server = testServer();
});
afterEach(async () => {
  server.close();
  await folder.close();
});

const recording = new URL('../recordings/demo.millrace.gz', import.meta.url).pathname;
const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
/** Runs a shell line in which `$MILLRACE` is the command. */
const shell = (line: string) =>
  spawnSync('/bin/sh', ['-c', line], {
    encoding: 'utf8',
    timeout: 30_000,
    env: {
      ...process.env,
      TMPDIR: folder.path,
      MILLRACE: quoted([process.execPath, ...process.execArgv, cli]),
    },
  });
const tick = 'while :; do echo tick; sleep 0.02; done';

describe('standard output', () => {
  test.skipIf(!hasTmux)('whose reader has gone ends the command in order', async () => {
    server.run('new-session', '-d', '-s', 'main', tick);
    for (const args of [
      ['top', '-S', server.socketPath, '--json'],
      ['doctor', '--seconds', '1'],
    ]) {
      const run = folder.start(args);
      await until(() => run.output !== '');
      run.child.stdout!.destroy();
      expect(await run.ended).toEqual([141, null]);
      expect(run.errors).toBe('');
    }
    expect(server.run('list-clients').trim()).toBe('');
    await folder.expectNothingLeft();
  });

  test.skipIf(!existsSync('/dev/full'))('on a full disk is a failure in one line', () => {
    for (const args of ['--help', `replay '${recording}' --max`]) {
      const run = shell(`eval "$MILLRACE ${args}" >/dev/full`);
      expect(run.stderr).toMatch(/^millrace: standard output can't be written: ENOSPC[^\n]*\n$/);
      expect(run.status).toBe(1);
    }
  });
});

describe.skipIf(!hasTmux)('millrace record', () => {
  test('leaves no file behind if there is nothing to record, and replaces none unless told to', async () => {
    server.run('new-session', '-d', '-s', 'main', tick);
    const file = join(server.directory, 'recording');
    const record = (...args: string[]) =>
      folder.start(['record', file, '-S', server.socketPath, '--seconds', '0.2', ...args]);
    expect(await record('-t', 'nobody').ended).toEqual([1, null]);
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, 'precious');
    expect(await record().ended).toEqual([2, null]);
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(await record('--overwrite').ended).toEqual([0, null]);
    expect(readFileSync(file, 'latin1')).toMatch(/^MILLRACE-RECORDING/);

    // Cut short, as after a crash, it is played as far as it goes.
    truncateSync(file, statSync(file).size - 1);
    const replay = folder.start(['replay', file, '--max', '--json']);
    expect(await replay.ended).toEqual([0, null]);
    expect(replay.errors).toContain('cut short');
    expect(JSON.parse(replay.output)).toMatchObject({ truncated: true });
  });

  test('fails when the disk is full, at once', () => {
    server.run('new-session', '-d', '-s', 'main', 'exec seq 1 1000000000');
    const file = join(server.directory, 'recording');
    // Files of this process end at a size: what a full disk does, without filling one.
    const run = shell(
      `ulimit -f 200; eval "$MILLRACE record '${file}' -S '${server.socketPath}' --json"`,
    );
    expect(run.stderr).toContain('ERR_RECORDING_WRITE');
    expect(run.status).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({ end: 'failed' });
    const played = shell(`eval "$MILLRACE replay '${file}' --max --json"`);
    expect(JSON.parse(played.stdout).panes[0].bytes).toBeGreaterThan(10_000);
    expect(server.run('list-clients').trim()).toBe('');
  });
});

test.skipIf(!hasTmux)('a tmux by another name is one', () => {
  const program = fakeTmux(server, 'echo "tmux-next 3.9"');
  const run = spawnSync(
    process.execPath,
    [...process.execArgv, cli, 'record', join(server.directory, 'r')],
    {
      encoding: 'utf8',
      env: { ...process.env, MILLRACE_TMUX: program },
    },
  );
  expect(run.stderr).not.toContain("isn't tmux");
});
