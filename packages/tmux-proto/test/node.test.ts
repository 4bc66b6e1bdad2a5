/**
 * Goal: bytes of sockets and child processes reach the parser whole and in order, ends and errors are told, and
 * nothing is left behind. Method: real processes and sockets.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connectInto, receiveInto, spawnInto } from '@millrace/tmux-proto/node';
import { describe, expect, test } from 'vitest';
import { collector } from './support/collect.ts';
import { engines } from './support/engines.ts';
import { binaries } from './support/tmux.ts';

const LINES = Array.from(
  { length: 20_000 },
  (_, index) => `%output %${index % 9} ${'x'.repeat(index % 90)}\\033[m\n`,
);
const WRITER = `const l=Array.from({length:20000},(_, i)=>'%output %'+(i%9)+' '+'x'.repeat(i%90)+'\\\\033[m\\n').join('');process.stdout.write(l)`;

describe.skipIf(process.platform === 'win32').each(engines)('%s engine', (_, Parser, extra) => {
  const create = () => {
    const { events, handler } = collector();
    return { events, parser: new Parser(handler, { framing: 'lines', ...extra }) };
  };
  const wanted = create();
  wanted.parser.push(Buffer.from(LINES.join('')));

  test('a child process writes into the parser', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'proto-node-'));
    const former = process.env['TMPDIR'];
    process.env['TMPDIR'] = folder;
    const { events, parser } = create();
    let reads = 0;
    const { child, ended } = await spawnInto(
      parser,
      process.execPath,
      ['-e', WRITER],
      { stdio: ['ignore', 'pipe', 'inherit'] },
      { onRead: () => reads++ },
    );
    await ended;
    expect(child.stdout).toBeNull();
    expect(events).toEqual(wanted.events);
    expect(reads).toBeGreaterThan(1);
    expect(() => parser.push(new Uint8Array(1))).toThrow(/ended/);
    expect(readdirSync(folder)).toEqual([]);
    if (former === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = former;
    rmSync(folder, { recursive: true });
  });

  test('a program that is not there rejects', async () => {
    const { parser } = create();
    await expect(spawnInto(create().parser, process.execPath, [], { cwd: '\0' })).rejects.toThrow();
    await expect(spawnInto(parser, '/nonexistent/program')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  test('a socket and a stream do too, errors are told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'proto-node-'));
    const path = join(folder, 's');
    const server = createServer((socket) => socket.on('error', () => {}).end(LINES.join('')));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const { events, parser } = create();
    const socket = connectInto(parser, { path });
    await new Promise((resolve) => socket.once('close', resolve));
    expect(events).toEqual(wanted.events);
    const errors: unknown[] = [];
    const failing = new Parser(
      {
        output: () => {
          throw new Error('sink');
        },
      },
      { framing: 'lines', ...extra },
    );
    const second = connectInto(failing, { path }, { onError: (error) => errors.push(error) });
    await new Promise((resolve) => second.once('close', resolve));
    expect(errors[0]).toMatchObject({ message: 'sink' });
    const third = connectInto(
      new Parser(
        {
          output: () => {
            throw new Error('sink');
          },
        },
        { framing: 'lines', ...extra },
      ),
      { path },
    );
    await expect(new Promise((_, reject) => third.once('error', reject))).rejects.toThrow('sink');
    server.close();
    rmSync(folder, { recursive: true });
    const through = create();
    const stream = new PassThrough();
    const received = receiveInto(through.parser, stream);
    stream.end(LINES.join(''));
    await received;
    expect(through.events).toEqual(wanted.events);
  });

  test.skipIf(binaries.length === 0)('a real tmux does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'proto-node-'));
    const { events, parser } = create();
    const { TMUX: _tmux, ...env } = process.env;
    const { child, ended } = await spawnInto(
      parser,
      'tmux',
      ['-S', join(folder, 's'), '-f', '/dev/null', '-C', 'new-session', 'exec cat'],
      { env: { ...env, TERM: 'xterm' }, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    child.stdin!.write('display-message -p hello\nkill-server\n');
    await ended;
    expect(events).toContain('reply hello');
    rmSync(folder, { recursive: true, force: true });
  });
});
