/**
 * Goal: `millrace demo` shows live figures, judges the floors, and leaves nothing behind, however it ends.
 * Method: the command as a process, with a temporary folder of its own that must be empty afterwards.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandFolder } from './support/command.ts';
import { canResync, hasTmux, testServer, until } from './support/tmux.ts';

let folder: CommandFolder;
beforeEach(() => {
  folder = new CommandFolder();
});
afterEach(() => folder.close());

const start: CommandFolder['start'] = (args, env) => folder.start(args, env);
const expectNothingLeft = (): Promise<void> => folder.expectNothingLeft();

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
    expect(verdicts).toHaveLength(11);
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
    expect(run.output.match(/not run \(no tmux\)$/gm)).toHaveLength(4);
    expect(run.output).toMatch(/throughput .* (holds|falls short)$/m);
    await expectNothingLeft();
  });

  test('prints data for a script, and the view on standard error', async () => {
    const run = start(['demo', '--scale', '0.05', '--json'], { MILLRACE_TMUX: '/nowhere/tmux' });
    expect(await run.ended).toEqual([0, null]);
    const { floors } = JSON.parse(run.output) as { floors: { figure: string; holds?: boolean }[] };
    expect(floors).toHaveLength(10);
    expect(floors[0]!.holds).toBeTypeOf('boolean');
    expect(run.errors).toMatch(/^inline, recording of tmux /m);
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

  test.skipIf(!hasTmux).each(['inline, live', 'readline + regex before'])(
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
    const supported = canResync
      ? /^tmux \S+: supported$/m
      : /^tmux \S+: supported, lossless only$/m;
    expect(run.output).toMatch(supported);
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
