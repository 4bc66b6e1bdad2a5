/**
 * Goal: what is typed or pasted reaches the program byte for byte, and a size that is asked for is the size it gets.
 * Method: a real tmux with a program that sends everything back, in both modes.
 */
import { connect, type MemorySink, memorySink, type Session } from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

/** A session whose pane echoes raw bytes once it has said that it is ready. */
async function echoing(worker: boolean): Promise<{ session: Session; sink: MemorySink }> {
  const sink = memorySink();
  const session = await connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: 'main',
    create: { command: 'stty raw -echo; printf READY; exec cat' },
    worker,
    sink: () => sink,
  });
  await until(() => Buffer.from(sink.contents()).includes('READY'));
  return { session, sink };
}

const after = (sink: MemorySink): Buffer => {
  const all = Buffer.from(sink.contents());
  return all.subarray(all.indexOf('READY') + 5);
};

describe.skipIf(!hasTmux).each([{ worker: false }, { worker: true }])(
  'input, worker: $worker',
  ({ worker }) => {
    test('every byte that is typed arrives, in order', async () => {
      const { session, sink } = await echoing(worker);
      const pane = [...session.panes.values()][0]!;
      const bytes = Uint8Array.from({ length: 768 }, (_, index) => (index * 7) & 255);
      const hostile = 'é 日本 🙂 "; kill-server\n#{pane_id} $HOME ~ %end 1 1 1\r\\';
      await pane.type(bytes);
      await pane.type(hostile);
      await pane.type('');
      const wanted = Buffer.concat([bytes, Buffer.from(hostile)]);
      await until(() => after(sink).length >= wanted.length);
      expect(after(sink).equals(wanted)).toBe(true);
      await session.close();
    });

    test('a large paste arrives whole, and leaves no buffer behind', async () => {
      const { session, sink } = await echoing(worker);
      const pane = [...session.panes.values()][0]!;
      const text = Array.from({ length: 4000 }, (_, index) => `${index} 日本 \\ "'`).join('\n');
      await Promise.all([pane.paste(text), pane.paste('second')]);
      const wanted = Buffer.from(`${text}second`);
      await until(() => after(sink).length >= wanted.length);
      expect(after(sink).equals(wanted)).toBe(true);
      expect((await session.command('list-buffers')).lines).toEqual([]);
      await session.close();
    });

    test('named keys', async () => {
      const { session, sink } = await echoing(worker);
      await [...session.panes.values()][0]!.press('C-a', 'Escape', 'F1', 'Up');
      await until(() => after(sink).includes('\x1b[A'));
      expect(after(sink).toString('latin1')).toBe('\x01\x1b\x1bOP\x1b[A');
      await session.close();
    });

    test('a new size reaches the panes', async () => {
      const { session } = await echoing(worker);
      await session.resize(91, 37);
      const pane = [...session.panes.values()][0]!;
      await until(() => pane.info.columns === 91);
      const { lines } = await session.command(
        'display-message',
        '-p',
        '#{window_width}x#{pane_width}',
      );
      expect(lines).toEqual(['91x91']);
      await expect(session.resize(0, 10)).rejects.toMatchObject({ code: 'ERR_BRIDGE_ARGUMENT' });
      await session.close();
      await expect(pane.type('x')).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
    });
  },
);
