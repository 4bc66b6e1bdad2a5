/**
 * Reaches a tmux through any program that carries bytes: ssh, a container, a serial line.
 *
 * `node any-transport.mjs ssh me@host tmux -u -C attach`
 * `node any-transport.mjs docker exec -i box tmux -u -C attach`
 *
 * The bridge needs a stream that speaks control mode, and nothing else: no terminal, no agent on the other side. What
 * the far tmux and the way to it cost is in the figures that this prints at the end.
 */
import { spawn } from 'node:child_process';
import { connect, nullSink } from '@millrace/bridge';

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  console.error(
    'usage: any-transport.mjs PROGRAM [ARGUMENT]... (such as: ssh me@host tmux -u -C attach)',
  );
  process.exit(2);
}
const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
child.on('error', (error) => console.error(error.message));
const stream = { readable: child.stdout, writable: child.stdin };

const session = await connect({ stream, sink: () => nullSink() });
process.once('SIGINT', () => session.close());
console.log(`tmux ${session.version} with ${session.panes.size} panes`);
const { lines } = await session.command(
  'list-panes',
  '-s',
  '-F',
  '#{pane_id} #{pane_current_command}',
);
for (const line of lines) console.log(line);

const seconds = Number(process.env['SECONDS'] ?? 5);
const timer = setTimeout(() => session.close(), seconds * 1000);
const end = await session.closed;
clearTimeout(timer);
const { bytes, records, stations } = session.stats();
const p99 = (stations.total.p99 / 1e6).toFixed(3);
console.log(`${bytes} bytes, ${records} records, read to sink P99 ${p99} ms; ${end.message}`);
process.exitCode = end.error === undefined ? 0 : 1;
