/**
 * One side of the memory comparison, a program of its own: reads a tmux into headless terminals, with the bridge
 * or with a plain `data` listener, then collects garbage and prints its memory as JSON.
 *
 * `node --expose-gc memory-probe.js bridge|plain TMUX SOCKET SECONDS`
 *
 * The plain program parses lines as typical user code does, so both draw the same bytes into the same terminals. It loads
 * nothing of the bridge: what the modules themselves take counts.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { XtermTerminal } from '../../sinks/xterm.ts';

const [mode, tmux, socketPath, seconds] = process.argv.slice(2) as [string, string, string, string];

async function makeTerminal(): Promise<XtermTerminal> {
  const { default: xterm } = await import('@xterm/headless');
  return new xterm.Terminal({ cols: 120, rows: 40, scrollback: 1000, allowProposedApi: true });
}

const makeTerminals = (): Promise<XtermTerminal[]> => Promise.all([1, 2, 3, 4].map(makeTerminal));

async function readWithBridge(): Promise<() => Promise<unknown>> {
  const { connect, xtermSink } = await import('./memory-probe-bridge.ts');
  const terminals = await makeTerminals();
  const session = await connect({
    tmux,
    socketPath,
    sink: (pane) => xtermSink(terminals[pane % terminals.length]!),
  });
  return () => session.close();
}

async function readPlainly(): Promise<() => Promise<unknown>> {
  const terminals = await makeTerminals();
  const { TMUX: _, ...env } = process.env;
  const child = spawn(tmux, ['-S', socketPath, '-u', '-C', 'attach-session'], { env });
  child.stdout.setEncoding('latin1');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const match = /^%output %(\d+) (.*)$/.exec(line);
    if (match === null) return;
    const text = match[2]!.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    terminals[Number(match[1]) % terminals.length]!.write(Buffer.from(text, 'latin1'));
  });
  return () =>
    new Promise((resolve) => {
      child.on('close', resolve);
      child.stdin.end('\n');
    });
}

const stop = await (mode === 'bridge' ? readWithBridge() : readPlainly());
await sleep(Number(seconds) * 1000);
// The last resort gives the young generation's spare pages back too: how many it has grown to is chance.
const collect = globalThis.gc as undefined | ((options: object) => void);
for (let round = 0; round < 3; round++) {
  collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  await sleep(20);
}
const { rss, heapUsed, external } = process.memoryUsage();
process.stdout.write(`${JSON.stringify({ rss, heap: heapUsed + external })}\n`);
await stop();
process.exit(0);
