/**
 * Mirrors a tmux session into terminals without a screen, and prints what they show when the session is quiet.
 *
 * `node headless-mirror.mjs [-S SOCKET] [-t SESSION]`, until the session ends or Ctrl-C.
 *
 * A headless xterm.js per pane has the pane's exact screen, cursor and colours: the ground for tests, search, and
 * pictures of a session. `latest` keeps it current however fast the pane prints: what can't be drawn in time is skipped,
 * and the screen restored.
 */
import { parseArgs } from 'node:util';
import { connect } from '@millrace/bridge';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import xterm from '@xterm/headless';

const { values } = parseArgs({
  options: { socket: { type: 'string', short: 'S' }, session: { type: 'string', short: 't' } },
});

/** @type {Map<number, import('@xterm/headless').Terminal>} */
const terminals = new Map();
const session = await connect({
  ...(values.socket === undefined ? {} : { socketPath: values.socket }),
  ...(values.session === undefined ? {} : { session: values.session }),
  pipe: { policy: 'latest', historyLines: 1000 },
  sink: (pane) => {
    // The sink gives it the pane's size, now and whenever that changes.
    const terminal = new xterm.Terminal({ allowProposedApi: true });
    terminals.set(pane, terminal);
    return xtermSink(terminal);
  },
});

/** Returns a terminal's screen as text, without the empty rows at its end. */
function screenOf(terminal) {
  const { active } = terminal.buffer;
  const rows = Array.from({ length: terminal.rows }, (_, row) =>
    active.getLine(active.baseY + row)?.translateToString(true),
  );
  return rows.join('\n').trimEnd();
}

let shown = '';
const timer = setInterval(() => {
  const screens = [...terminals].map(([id, terminal]) => `── pane %${id}\n${screenOf(terminal)}`);
  const text = screens.join('\n');
  if (text !== shown) console.log(text);
  shown = text;
}, 250);

process.once('SIGINT', () => session.close());
const end = await session.closed;
clearInterval(timer);
console.log(end.message);
process.exitCode = end.error === undefined ? 0 : 1;
