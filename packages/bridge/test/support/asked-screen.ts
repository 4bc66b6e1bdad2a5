/** The screen of a pane as a snapshot would be made of it, asked for when everything fed so far is there. */
import type { Dialect } from '../../src/resync/dialect.ts';
import { readScreen, type Screen, screenCommands } from '../../src/resync/screen.ts';
import type { TtyPane } from './pane-tty.ts';

export async function askedScreen(tty: TtyPane, dialect: Dialect): Promise<Screen> {
  await tty.settled();
  const commands = screenCommands(tty.pane.id, 0, false);
  const replies = await Promise.all(commands.map((words) => tty.session.command(...words)));
  const screen = readScreen(
    replies.map(({ lines }) => lines),
    dialect,
  );
  if (screen === undefined) throw new Error('tmux did not answer as expected');
  return screen;
}
