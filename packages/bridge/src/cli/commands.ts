/** The commands of `millrace`: what each is for, what it takes, and how it is started. */
import type { ParseArgsConfig } from 'node:util';
import { BridgeError } from '../errors.ts';
import { attach } from './attach/attach.ts';
import { bench, scenarioNames } from './bench.ts';
import { runDemo } from './demo/demo.ts';
import type { Output } from './demo/view.ts';
import { doctor } from './doctor.ts';
import { record } from './record.ts';
import { replay } from './replay.ts';
import type { Target } from './target.ts';
import { top } from './top.ts';

/** What a command is started with. */
export interface CommandInput {
  /** Options as given: text, true for a flag, a list for one that may be repeated. */
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
  /** The tmux program. */
  readonly tmux: string;
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** A command of `millrace`. */
export interface Command {
  /** What comes after `millrace`. */
  readonly usage: string;
  /** One line for the overview. */
  readonly summary: string;
  /** What else a person should know. */
  readonly details: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** How many words it takes after its name. */
  readonly positionals: number;
  run(input: CommandInput): Promise<void>;
}

const server = {
  'socket-name': { type: 'string', short: 'L' },
  socket: { type: 'string', short: 'S' },
  session: { type: 'string', short: 't' },
} as const;
const seconds = { seconds: { type: 'string' } } as const;
const worker = { worker: { type: 'boolean' } } as const;
const json = { json: { type: 'boolean' } } as const;

const serverHelp = `  -L, --socket-name N the tmux server's socket by name, as tmux's -L takes it
  -S, --socket PATH   the same by path (default: the user's own)
  -t, --session NAME  the session, as tmux's -t takes it (default: it chooses)
`;
const secondsHelp = '  --seconds N         how long (default: until the session ends, or Ctrl-C)\n';
const workerHelp = '  --worker            receive and parse in a worker thread\n';
const jsonHelp = '  --json              print the figures as one JSON object (times in ns)\n';

const text = (input: CommandInput, name: string): string | undefined => {
  const value = input.values[name];
  return typeof value === 'string' ? value : undefined;
};

/** Returns words in lines of 80 columns, indented. */
function wrapped(words: readonly string[], indent: number): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || indent + last.length + word.length + 3 > 80) lines.push(word);
    else lines[lines.length - 1] = `${last}, ${word}`;
  }
  return lines.map((line) => ' '.repeat(indent) + line).join(',\n');
}

/** Longest time that a timer takes (s). */
const secondsMax = 2_000_000;

/** Returns a numeric option, or undefined if it isn't given. */
function number(
  input: CommandInput,
  name: string,
  minimum: number,
  maximum: number,
): number | undefined {
  const given = text(input, name);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() === '' || !(value >= minimum && value <= maximum)) {
    throw new BridgeError(
      'ERR_BRIDGE_ARGUMENT',
      `--${name} must be a number from ${minimum} to ${maximum}: --${name}=${JSON.stringify(given)}`,
    );
  }
  return value;
}

/** Returns the factor on the recorded speed; undefined for as fast as it goes. */
function speedOf(input: CommandInput): number | undefined {
  const speed = number(input, 'speed', 0.001, 1e6);
  if (input.values['max'] !== true) return speed ?? 1;
  if (speed === undefined) return undefined;
  throw new BridgeError('ERR_BRIDGE_ARGUMENT', 'either --speed or --max, not both');
}

/** Returns the session to attach to, and what else each of these commands takes. */
function target(input: CommandInput) {
  const socketName = text(input, 'socket-name');
  const socketPath = text(input, 'socket');
  const session = text(input, 'session');
  return {
    target: {
      ...(socketName === undefined ? {} : { socketName }),
      ...(socketPath === undefined ? {} : { socketPath }),
      ...(session === undefined ? {} : { session }),
    } satisfies Target,
    signal: input.signal,
    output: input.output,
  };
}

/** The commands by name, in the order of the overview. */
export const commands: Readonly<Record<string, Command>> = {
  attach: {
    usage: 'attach [-L NAME | -S PATH] [-t SESSION] [--read-only] [--worker] ...',
    summary: 'mirrors a session on this terminal, and says at the end what it cost',
    details: `Shows the session's current window, all its panes. Keys go to the active pane;
Ctrl-\\ detaches. The tmux session goes on as it was; its windows take this
terminal's size, as with any client.

${serverHelp}  --read-only         send no keys, and leave the windows' size alone
${workerHelp}${jsonHelp}`,
    options: { ...server, ...worker, ...json, 'read-only': { type: 'boolean' } },
    positionals: 0,
    run: (input) =>
      attach({
        ...target(input),
        worker: input.values['worker'] === true,
        readOnly: input.values['read-only'] === true,
        json: input.values['json'] === true,
      }),
  },
  doctor: {
    usage: 'doctor [--seconds N] [--json]',
    summary: "is this machine's tmux fit to be bridged, and how fast is it",
    details: `Looks at tmux's version and what is known of it, at the locale, and measures how
long a key takes to come back, idle and while another pane floods, on a private
server that it removes afterwards. Exit status 1 if there is no usable tmux.

  --seconds N         how long each measurement takes (default: 2)
${jsonHelp}`,
    options: { ...seconds, ...json },
    positionals: 0,
    run: ({ tmux, signal, output, ...input }) =>
      doctor({
        tmux,
        signal,
        output,
        progress: process.stderr,
        seconds: number({ tmux, signal, output, ...input }, 'seconds', 0.1, 3600) ?? 2,
        json: input.values['json'] === true,
      }),
  },
  top: {
    usage: 'top [-L NAME | -S PATH] [-t SESSION] [--seconds N] [--worker] [--json]',
    summary: "shows what a session's panes write and what each station takes, live",
    details: `Attaches to a session and reads its panes without drawing them.

${serverHelp}${secondsHelp}${workerHelp}  --json              print one JSON object a second (times in ns), no table
`,
    options: { ...server, ...seconds, ...worker, ...json },
    positionals: 0,
    run: (input) =>
      top({
        ...target(input),
        seconds: number(input, 'seconds', 0, secondsMax),
        worker: input.values['worker'] === true,
        json: input.values['json'] === true,
      }),
  },
  record: {
    usage: 'record FILE [-L NAME | -S PATH] [-t SESSION] [--seconds N] ...',
    summary: 'attaches to a session and records the connection, both directions',
    details: `Writes what tmux sends, and what is sent to it, with their times, to FILE. It
holds whatever the panes show: treat it as you treat the screen.

${serverHelp}${secondsHelp}  --overwrite         replace FILE if it is there
${jsonHelp}`,
    options: { ...server, ...seconds, ...json, overwrite: { type: 'boolean' } },
    positionals: 1,
    run: (input) =>
      record({
        ...target(input),
        path: input.positionals[0]!,
        seconds: number(input, 'seconds', 0, secondsMax),
        overwrite: input.values['overwrite'] === true,
        json: input.values['json'] === true,
        progress: process.stderr,
      }),
  },
  replay: {
    usage: 'replay FILE [--speed N | --max] [--worker] [--loops N] [--json]',
    summary: 'plays a recording and prints what each station took',
    details: `  --speed N           factor on the recorded speed (default: 1)
  --max               as fast as it goes
  --loops N           how often (default: 1)
${workerHelp}${jsonHelp}`,
    options: {
      ...worker,
      ...json,
      speed: { type: 'string' },
      max: { type: 'boolean' },
      loops: { type: 'string' },
    },
    positionals: 1,
    run: (input) =>
      replay({
        path: input.positionals[0]!,
        speed: speedOf(input),
        worker: input.values['worker'] === true,
        loops: number(input, 'loops', 1, 1e9) ?? 1,
        json: input.values['json'] === true,
        signal: input.signal,
        output: input.output,
        progress: process.stderr,
      }),
  },
  bench: {
    usage: 'bench [--quick] [--scenario NAME]... [--json] [--html FILE] [--scale N]',
    summary: 'how long a key takes to come back, with this library and without',
    details: `A viewer behind a slow link, one that stalls, a busy thread, an ordinary client
beside it: each scenario runs this library and what it replaces in turn, every
one in a process of its own on a private tmux that is removed afterwards. Takes
about four minutes. What falls short is printed, and is no failure: a busy
machine is enough for it.

  --quick             one round, a quarter of the time: about 50 s
  --scenario NAME     only this one; may be repeated. There are
${wrapped(scenarioNames, 22)}
  --json              print everything measured as one JSON object
  --html FILE         write one HTML file with plots, tables and the data
  --scale N           factor on the time of each measurement (default: 1)
`,
    options: {
      ...json,
      quick: { type: 'boolean' },
      scenario: { type: 'string', multiple: true },
      html: { type: 'string' },
      scale: { type: 'string' },
    },
    positionals: 0,
    run: (input) =>
      bench({
        tmux: input.tmux,
        signal: input.signal,
        output: input.output,
        progress: process.stderr,
        quick: input.values['quick'] === true,
        only: (input.values['scenario'] as readonly string[] | undefined) ?? [],
        json: input.values['json'] === true,
        html: text(input, 'html'),
        scale: number(input, 'scale', 0.01, 1000) ?? 1,
      }),
  },
  demo: {
    usage: 'demo [--scale N] [--json]',
    summary: 'four panes on a private tmux, a slow viewer before and after, floors',
    details: `  --scale N           factor on the time that each part takes (default: 1)
${jsonHelp}`,
    options: { ...json, scale: { type: 'string' } },
    positionals: 0,
    run: async (input) => {
      await runDemo({
        tmux: input.tmux,
        signal: input.signal,
        output: input.output,
        scale: number(input, 'scale', 0.01, 1000) ?? 1,
        json: input.values['json'] === true,
      });
    },
  },
};

const overviewEnd = `
millrace COMMAND --help says more; millrace --version prints the version.
MILLRACE_TMUX names another tmux than the one on PATH.
Exit status: 0 done, 1 failed, 2 called wrongly, 128 + N ended by signal N (141:
who read the output has gone). With --json, the output is JSON and nothing else.
`;

/** Returns the help on all commands. */
export function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length)) + 3;
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(width)}${summary}\n`,
  );
  return `millrace: keeps terminal viewers current on a live tmux\n\n${lines.join('')}${overviewEnd}`;
}

/** Returns the help on one command. */
export const helpOn = ({ usage, summary, details }: Command): string =>
  `millrace ${usage}\n\n${summary}\n\n${details}`;
