#!/usr/bin/env node
/** The `millrace` command: finds the command, ends it in order on a signal, and turns its failure into a status. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BridgeError } from '../errors.ts';
import { type Command, type CommandInput, commands, helpOn, overview } from './commands.ts';

/** The command was called wrongly: exit status 2. */
class UsageError extends Error {}

function version(): string {
  const fromSource = import.meta.url.endsWith('.ts');
  const url = new URL(fromSource ? '../../package.json' : '../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}

const exitCodes: Readonly<Record<string, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGPIPE: 141,
  SIGTERM: 143,
};
/** A second signal ends at once, but not one that comes so soon after the first (ms): npx passes Ctrl-C on as well. */
const patienceMs = 1000;

/** Aborted by the first signal, so that everything ends in order. */
const controller = new AbortController();
let signalled: string | undefined;
let signalledAt = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (signalled !== undefined && performance.now() - signalledAt > patienceMs) {
      process.exit(exitCodes[name]);
    }
    if (signalled === undefined) signalledAt = performance.now();
    signalled ??= name;
    controller.abort();
  });
}

/** What standard output said when it could be written no more, unless its reader has just gone (`| head`). */
let outputFailure: NodeJS.ErrnoException | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // EIO: the terminal has been closed; SIGHUP is about to say so too.
  if (error.code === 'EPIPE' || error.code === 'EIO') signalled ??= 'SIGPIPE';
  else outputFailure ??= error;
  controller.abort();
});
// Progress that nobody can see is no failure.
process.stderr.on('error', () => {});

function commandOf(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  throw new UsageError(`no such command: ${JSON.stringify(name)}; see millrace --help`);
}

async function main(args: readonly string[]): Promise<void> {
  const output = process.stdout;
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = name === 'help' && rest[0] !== undefined ? commandOf(rest[0]) : undefined;
    output.write(about === undefined ? overview() : helpOn(about));
    return;
  }
  if (name === '--version' || name === '-V') {
    output.write(`${version()}\n`);
    return;
  }
  const command = commandOf(name);
  const options = { ...command.options, help: { type: 'boolean', short: 'h' } } as const;
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: rest, options, allowPositionals: true });
  } catch (error) {
    // Node goes on with advice on positional arguments.
    const said = (error as Error).message.split(/\.?\s*(?:\n|To specify a positional)/, 1)[0];
    throw new UsageError(`${said}; see millrace ${name} --help`);
  }
  const { positionals } = parsed;
  const values = parsed.values as CommandInput['values'];
  if (values['help']) {
    output.write(helpOn(command));
    return;
  }
  if (positionals.length !== command.positionals) {
    const given = positionals.length === 0 ? 'nothing' : JSON.stringify(positionals.join(' '));
    throw new UsageError(`usage: millrace ${command.usage}; given ${given}`);
  }
  const tmux = process.env['MILLRACE_TMUX'] ?? 'tmux';
  await command.run({ values, positionals, tmux, signal: controller.signal, output });
}

/** Returns what to print of a failure, and the exit status. */
function judge(error: unknown): [text: string, status: number] {
  if (error instanceof UsageError) return [error.message, 2];
  if (!(error instanceof BridgeError)) return [(error as Error).stack ?? String(error), 1];
  return [`${error.message} (${error.code})`, error.code === 'ERR_BRIDGE_ARGUMENT' ? 2 : 1];
}

try {
  await main(process.argv.slice(2));
  process.exitCode ??= 0;
} catch (error) {
  if (signalled === undefined && outputFailure === undefined) {
    const [text, status] = judge(error);
    process.stderr.write(`millrace: ${text}\n`);
    process.exitCode = status;
  }
}
// What is on its way to a pipe may still fail.
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
if (signalled !== undefined) process.exitCode = exitCodes[signalled] ?? 1;
else if (outputFailure !== undefined) {
  process.stderr.write(`millrace: standard output can't be written: ${outputFailure.message}\n`);
  process.exitCode = 1;
}
