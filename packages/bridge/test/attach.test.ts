/**
 * Goal: `millrace attach` shows what a session's window shows, sends keys to its active pane, follows its layout and
 * windows, and gives the terminal back with its figures.
 * Method: the command runs in a pane of another tmux, which is its terminal; that pane is compared with the panes of
 * the mirrored session.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cli } from './support/command.ts';
import { canResync, hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

const columns = 100;
const rows = 30;
const quoted = (words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

describe.skipIf(!hasTmux)('millrace attach', () => {
  let inner: TestServer;
  let outer: TestServer;
  beforeEach(() => {
    inner = testServer();
    outer = testServer();
  });
  afterEach(() => {
    outer.close();
    inner.close();
  });

  /** Starts the command in the outer tmux; the shell behind it shows how it ended. */
  function attach(...options: string[]): void {
    const command = [process.execPath, ...process.execArgv, cli, 'attach', '-S', inner.socketPath];
    const size = ['-x', String(columns), '-y', String(rows)];
    outer.run('new-session', '-d', ...size, 'sh');
    outer.run('send-keys', `${quoted([...command, ...options])}; echo "status=$?"`, 'Enter');
  }
  const screen = (...options: string[]): string => outer.run('capture-pane', '-p', ...options);
  const shown = (text: string): Promise<void> => until(() => screen().includes(text));

  /** Column by column what a pane of the mirrored session shows, where it stands on the outer screen. */
  function panesMatch(): boolean {
    const outside = screen().split('\n');
    const format = '#{pane_id} #{pane_left} #{pane_top} #{pane_width} #{pane_height}';
    const panes = inner.run('list-panes', '-F', format).trim().split('\n');
    return panes.every((line) => {
      const [id, left, top, width, height] = line.split(' ') as [string, ...string[]];
      const inside = inner.run('capture-pane', '-p', '-t', id).split('\n');
      for (let row = 0; row < Number(height); row++) {
        const whole = (outside[Number(top) + row] ?? '').padEnd(columns);
        const from = Number(left);
        const part = whole.slice(from, from + Number(width)).trimEnd();
        if (part !== (inside[row] ?? '').trimEnd()) return false;
      }
      return true;
    });
  }

  const detach = async (): Promise<void> => {
    outer.run('send-keys', 'C-\\');
    await until(() => /status=\d/.test(screen()));
  };

  // What was there before is on the screen since tmux 3.2.
  test.skipIf(!canResync)(
    'shows all panes where tmux has them, and follows splits, windows and sizes',
    async () => {
      inner.run('new-session', '-d', '-s', 'main', '-x', '80', '-y', '24', 'sh');
      inner.run('split-window', '-h', 'sh');
      inner.run('send-keys', '-t', 'main:0.0', 'echo left $((6*7))', 'Enter');
      inner.run('send-keys', '-t', 'main:0.1', 'seq 1 100', 'Enter');
      attach();
      await shown('left 42');
      await shown('│');
      await shown('[main]');
      await until(panesMatch);
      expect(inner.run('display-message', '-p', '#{window_width}x#{window_height}').trim()).toBe(
        `${columns}x${rows - 1}`,
      );

      inner.run('split-window', '-v', '-t', 'main:0.1', 'sh');
      inner.run('send-keys', '-t', 'main:0.2', 'echo third', 'Enter');
      await shown('├');
      await until(panesMatch);

      inner.run('new-window', '-n', 'second', 'sh');
      inner.run('send-keys', 'echo in the second window', 'Enter');
      await shown('in the second window');
      await until(panesMatch);

      await detach();
      expect(screen()).toMatch(/detached after \d/);
      expect(screen()).toMatch(/key to frame/);
      expect(screen()).toContain('status=0');
      expect(inner.run('list-clients').trim()).toBe(''); // and the session goes on
      expect(inner.run('list-windows').trim().split('\n')).toHaveLength(2);
    },
  );

  test.skipIf(!canResync)(
    'sends keys to the active pane, in the modes that its program has asked for',
    async () => {
      const program = "stty raw -echo; printf '\\033[?1hready'; od -An -c -w1 -N6; exec sleep 1000";
      inner.run('new-session', '-d', '-s', 'main', program);
      attach();
      await shown('ready');
      outer.run('send-keys', 'x', 'Up', 'é');
      // x, ESC O A because the program has set application cursor keys, and two bytes of é
      await until(() => screen().replaceAll(/\s+/g, ' ').includes('x 033 O A 303 251'));
      await detach();
    },
  );

  test.skipIf(!canResync)('shows colours and attributes', async () => {
    const program = "printf '\\033[1;31mred\\033[0m \\033[48;2;1;2;3mrgb\\033[0m'; exec sleep 1000";
    inner.run('new-session', '-d', '-s', 'main', program);
    attach();
    await shown('red rgb');
    expect(screen('-e')).toContain('\x1b[1m\x1b[31mred');
    expect(screen('-e')).toContain('\x1b[48;2;1;2;3mrgb');
    await detach();
  });

  test('changes nothing with --read-only, and prints figures as JSON', async () => {
    inner.run('new-session', '-d', '-s', 'main', '-x', '60', '-y', '20', 'sh');
    attach('--read-only', '--json');
    await shown('read only');
    outer.run('send-keys', 'echo never', 'Enter');
    inner.run('send-keys', 'echo seen', 'Enter');
    await shown('seen');
    await detach();
    expect(screen()).toContain('"message":"detached"');
    expect(inner.run('capture-pane', '-p')).not.toContain('never');
    expect(inner.run('display-message', '-p', '#{window_width}').trim()).toBe('60');
  });

  test('gives the terminal back when the session ends', async () => {
    inner.run('new-session', '-d', '-s', 'main', 'sh');
    attach();
    await shown('[main]');
    inner.run('kill-server');
    await until(() => /status=\d/.test(screen()));
    expect(screen()).toMatch(/key to frame/);
    expect(outer.run('display-message', '-p', '#{alternate_on}').trim()).toBe('0');
  });

  test('gives the terminal back when a signal comes', async () => {
    inner.run('new-session', '-d', '-s', 'main', 'sh');
    attach();
    await shown('[main]');
    spawnSync('pkill', ['-TERM', '-P', outer.run('display-message', '-p', '#{pane_pid}').trim()]);
    await shown('status=143');
    expect(outer.run('display-message', '-p', '#{alternate_on}').trim()).toBe('0');
  });

  test('needs a terminal', async () => {
    inner.run('new-session', '-d', '-s', 'main', 'sh');
    const child = spawn(
      process.execPath,
      [...process.execArgv, cli, 'attach', '-S', inner.socketPath],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const [status] = await once(child, 'close');
    expect(errors).toContain('attach needs a terminal: standard input is none');
    expect(status).toBe(2);
    expect(inner.run('list-clients').trim()).toBe('');
  });
});
