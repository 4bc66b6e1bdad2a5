/**
 * Goal: `millrace` explains itself, and fails with one line and a status that a script can rely on.
 * Method: the command as a process.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { cli } from './support/command.ts';
import { hasTmux } from './support/tmux.ts';

const millrace = (...args: string[]) =>
  spawnSync(process.execPath, [...process.execArgv, cli, ...args], { encoding: 'utf8' });

describe('millrace', () => {
  test.each([
    [['nonsense'], 2, 'no such command: "nonsense"'],
    [['constructor'], 2, 'no such command: "constructor"'],
    [['demo', '--scale', 'much'], 2, '--scale must be a number'],
    [['top', '--seconds', ''], 2, '--seconds must be a number'],
    [['top', '--nonsense'], 2, "Unknown option '--nonsense'"],
    [['replay'], 2, 'usage: millrace replay FILE'],
    [['replay', 'one', 'two'], 2, 'given "one two"'],
    [['replay', '/nowhere/file'], 1, 'ERR_RECORDING_FORMAT'],
    [['replay', cli], 1, 'doesn\'t begin with "MILLRACE-RECORDING 1'],
    [['replay', cli, '--max', '--speed', '2'], 2, 'either --speed or --max'],
    [['replay', cli, '--speed', '0'], 2, '--speed must be a number from 0.001'],
    [['help', 'nonsense'], 2, 'no such command: "nonsense"'],
    [['top', '--seconds', '1e10'], 2, '--seconds must be a number from 0 to'],
    [['top', '--seconds', '-1'], 2, 'ambiguous'],
    [['record', cli], 2, 'is there already, --overwrite replaces it'],
    [['attach'], 2, 'attach needs a terminal: standard input is none'],
    [['bench', '--html', '/nowhere/report.html'], 2, "the report can't be written"],
  ])('%j fails with one line', (args, status, said) => {
    const run = millrace(...args);
    expect(run.stderr).toContain(said);
    expect(run.stderr.trim().split('\n')).toHaveLength(1);
    expect(run.status).toBe(status);
  });

  test('explains itself, and each command', () => {
    const { stdout } = millrace('--help');
    const names = [...stdout.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name!);
    expect(names).toEqual(expect.arrayContaining(['attach', 'demo', 'doctor', 'record', 'replay']));
    for (const name of names) {
      const help = millrace(name, '--help');
      expect(help.stdout).toMatch(new RegExp(`^millrace ${name}`));
      expect(help.status).toBe(0);
      expect(millrace('help', name).stdout).toBe(help.stdout);
      for (const line of [...help.stdout.split('\n'), ...stdout.split('\n')]) {
        expect(line.length, line).toBeLessThanOrEqual(80);
      }
    }
  });

  test('tells its version', () => {
    expect(millrace('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(millrace('-V').stdout).toBe(millrace('--version').stdout);
  });

  test('doctor says that there is no usable tmux, and why', () => {
    const env = { ...process.env, MILLRACE_TMUX: '/nowhere/tmux' };
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [...process.execArgv, cli, 'doctor', ...args], {
        encoding: 'utf8',
        env,
      });
    const told = run();
    expect(told.status).toBe(1);
    expect(told.stdout).toMatch(/^verdict: not fit: tmux can't be run: program="\/nowhere\/tmux"/m);
    const data = run('--json');
    expect(data.status).toBe(1);
    expect(JSON.parse(data.stdout)).toMatchObject({ tmux: null, verdict: expect.any(String) });
    expect(data.stderr).toContain('ERR_TMUX_NOT_FOUND');
  });

  test.skipIf(!hasTmux)('doctor tells a script what it found', () => {
    const { status, stdout } = millrace('doctor', '--seconds', '0.3', '--json');
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.idle.count).toBeGreaterThan(0);
    expect(report.flooded.count).toBeGreaterThan(0);
    expect(report.verdict).toMatch(/fit/);
  });
});
