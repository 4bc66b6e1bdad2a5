/** The two panes that every scenario watches, on a private tmux made for one measurement. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { openPrivateServer } from '../cli/private-server.ts';
import { BridgeError } from '../errors.ts';

const run = promisify(execFile);

/** A private tmux with two panes of 120 columns: one that floods, one that echoes. */
export interface Workload {
  readonly socketPath: string;
  readonly directory: string;
  readonly floodPane: number;
  readonly echoPane: number;
  /** The echoing pane's terminal. */
  readonly echoTerminal: string;
  readonly serverPid: number;
}

/** What the first pane runs. */
export const floodCommand = 'exec seq 1 1000000000';
/** A first pane that is quiet. */
export const quietCommand = 'exec sleep 100000';
const echoCommand = 'stty raw -echo; exec cat';

/** Makes the panes, runs `body`, and takes everything away again. */
export async function withWorkload<Result>(
  tmux: string,
  command: string,
  signal: AbortSignal,
  body: (workload: Workload) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const { TMUX: _, ...env } = process.env;
  const server = openPrivateServer(tmux);
  const { socketPath, directory } = server;
  const format = '#{pid} #{pane_id} #{pane_tty}';
  const said = async (...args: string[]): Promise<[pid: number, pane: number, tty: string]> => {
    const all = ['-S', socketPath, '-f', '/dev/null', '-u', ...args];
    const { stdout } = await run(tmux, all, { env, timeout: 10_000 });
    const match = /^(\d+) %(\d+) (.+)$/.exec(stdout.trim());
    if (match === null) {
      throw new BridgeError('ERR_TMUX_CONNECT', `tmux ${args[0]} said ${JSON.stringify(stdout)}`);
    }
    return [Number(match[1]), Number(match[2]), match[3]!];
  };
  try {
    const size = ['-d', '-x', '120', '-y', '40', '-P', '-F', format];
    const [serverPid, floodPane] = await said('new-session', ...size, command);
    server.serverPid(serverPid);
    const split = ['split-window', '-d', '-P', '-F', format, echoCommand];
    const [, echoPane, echoTerminal] = await said(...split);
    return await body({ socketPath, directory, floodPane, echoPane, echoTerminal, serverPid });
  } finally {
    await server.close();
  }
}
