#!/usr/bin/env node
/** The `millrace` command. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BridgeError } from '../errors.ts';
import { runDemo } from './demo/demo.ts';
import { doctor } from './doctor.ts';
import { record } from './record.ts';
import { replay } from './replay.ts';
import { top } from './top.ts';

const usage = `millrace: keeps terminal viewers current on a live tmux

  millrace demo [--scale N]           four panes on a private tmux, live figures, the floors
  millrace doctor                     is this machine's tmux fit to be bridged, and how fast is it
  millrace top [-S SOCKET] [-t SESSION] [--seconds N] [--worker]
                                      attaches to a tmux session and shows its figures, live
  millrace record FILE [-S SOCKET] [-t SESSION] [--seconds N]
                                      attaches to a tmux session and records the connection
  millrace replay FILE [--speed N | --max] [--worker] [--loops N]
                                      plays a recording and prints each station's latency
  millrace --help | --version

MILLRACE_TMUX names another tmux than the one on PATH.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
    scale: { type: 'string', default: '1' },
    socket: { type: 'string', short: 'S' },
    session: { type: 'string', short: 't' },
    seconds: { type: 'string' },
    speed: { type: 'string', default: '1' },
    max: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
    loops: { type: 'string', default: '1' },
  },
});

function version(): string {
  const fromSource = import.meta.url.endsWith('.ts');
  const url = new URL(fromSource ? '../../package.json' : '../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}

/** Returns a numeric option, or throws with its name and value. */
function number(name: string, text: string, minimum: number): number {
  const value = Number(text);
  if (!(value >= minimum) || !Number.isFinite(value)) {
    throw new BridgeError(
      'ERR_BRIDGE_ARGUMENT',
      `--${name} must be a number of ${minimum} or more: --${name}=${JSON.stringify(text)}`,
    );
  }
  return value;
}

function file(): string {
  const path = positionals[1];
  if (path === undefined) {
    throw new BridgeError('ERR_BRIDGE_ARGUMENT', `${positionals[0]} needs a FILE; see --help`);
  }
  return path;
}

/** Returns `--seconds`, if given. */
const seconds = (): number | undefined =>
  values.seconds === undefined ? undefined : number('seconds', values.seconds, 0);

/** Aborted by the first signal, so that everything ends in order. */
const controller = new AbortController();
let signalled: NodeJS.Signals | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    signalled = name;
    controller.abort();
  });
}

async function main(): Promise<void> {
  const { signal } = controller;
  const tmux = process.env['MILLRACE_TMUX'] ?? 'tmux';
  const output = process.stdout;
  if (values.version) output.write(`${version()}\n`);
  else if (values.help || positionals.length === 0) output.write(usage);
  else if (positionals[0] === 'demo') {
    await runDemo({ tmux, signal, output, scale: number('scale', values.scale, 0.01) });
  } else if (positionals[0] === 'doctor') {
    await doctor({ tmux, signal, output, seconds: seconds() ?? 2 });
  } else if (positionals[0] === 'top') {
    await top({
      socketPath: values.socket,
      session: values.session,
      seconds: seconds(),
      worker: values.worker,
      signal,
      output,
    });
  } else if (positionals[0] === 'record') {
    await record({
      path: file(),
      socketPath: values.socket,
      session: values.session,
      seconds: seconds(),
      signal,
      output,
    });
  } else if (positionals[0] === 'replay') {
    await replay({
      path: file(),
      speed: values.max ? undefined : number('speed', values.speed, 0.001),
      worker: values.worker,
      loops: number('loops', values.loops, 1),
      signal,
      output,
    });
  } else {
    throw new BridgeError(
      'ERR_BRIDGE_ARGUMENT',
      `no such command: ${JSON.stringify(positionals[0])}; see --help`,
    );
  }
}

const exitCodes: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
try {
  await main();
  process.exitCode = 0;
} catch (error) {
  if (signalled === undefined) {
    process.stderr.write(
      error instanceof BridgeError
        ? `millrace: ${error.message} (${error.code})\n`
        : `millrace: ${(error as Error).stack}\n`,
    );
    process.exitCode = 1;
  }
}
if (signalled !== undefined) process.exitCode = exitCodes[signalled] ?? 1;
