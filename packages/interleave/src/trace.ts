/** Counterexamples: as steps with source lines, as columns for people, as a short token for the machine. */
import { type Access, Kind, kindNames, type Raw, waitResults } from './access.ts';
import { describeCall } from './automaton.ts';
import { TokenError } from './errors.ts';
import { Branch, type Recorded } from './machine-parts.ts';
import type { Prepared } from './prepare.ts';
import type { Operation, TraceStep } from './scenario.ts';
import { describeValue } from './values.ts';

const packageRoot = new URL('..', import.meta.url).pathname;
/** This package as built, and as source maps show it. */
const ownDirectories = [`${packageRoot}dist/`, `${packageRoot}src/`];

/** First line of a stack that lies outside of this package. */
export function siteOf(stack: string): string {
  for (const line of stack.split('\n')) {
    const match = /\(?((?:file:\/\/|\/|[A-Za-z]:[\\/]|https?:)[^()]*?:\d+:\d+)\)?\s*$/.exec(line);
    if (match === null) continue;
    const place = match[1]!.replace(/^file:\/\//, '').replace(/\?[^:]*/, '');
    if (
      ownDirectories.some((directory) => place.startsWith(directory)) ||
      place.startsWith('node:')
    )
      continue;
    const name = /^\s*at (?:async )?([^(\s]+) \(/.exec(line)?.[1];
    return name === undefined ? place : `${name} (${place})`;
  }
  return '';
}

const rawText = (raw: Raw): string =>
  typeof raw === 'string'
    ? `[${Array.from(raw, (char) => char.charCodeAt(0)).join(' ')}]`
    : String(raw);

function accessText(access: Access, value: Raw, place: string): string {
  const name = kindNames[access.kind]!;
  switch (access.kind) {
    case Kind.load:
    case Kind.read:
      return `${name} ${place} is ${rawText(value)}`;
    case Kind.store:
    case Kind.write:
      return `${name} ${place} = ${rawText(access.a)}`;
    case Kind.compareExchange:
      return value === access.a
        ? `compareExchange ${place}: ${rawText(access.a)} to ${rawText(access.b)}`
        : `compareExchange ${place}: fails, is ${rawText(value)} not ${rawText(access.a)}`;
    case Kind.wait:
    case Kind.waitAsync:
      return `${name} ${place} while ${rawText(access.a)}: ${
        typeof value === 'string'
          ? value
          : access.kind === Kind.waitAsync && value === 0
            ? 'asleep'
            : waitResults[value as number]
      }`;
    case Kind.notify:
      return `notify ${place}: ${value} woken`;
    case Kind.pause:
      return 'pause';
    case Kind.none:
      return 'no shared access';
    case Kind.idle:
      return idleText(value as number);
    default:
      return `${name} ${place}: ${rawText(value)}, operand ${rawText(access.a)}`;
  }
}

const idleText = (event: number): string =>
  (event & 3) === 2
    ? `timer ${event >> 2} fires`
    : `waitAsync ${event >> 2} ${(event & 3) === 0 ? 'resolves: ok' : 'resolves: timed-out'}`;

/** The recorded steps for people; `sites[i]` is the stack of step i. */
export function traceSteps(
  recorded: readonly Recorded[],
  sites: readonly string[],
  scripts: readonly (readonly Operation[])[],
  prepared: Prepared,
): TraceStep[] {
  return recorded.map(({ thread, node, branch, value, edge }, index) => {
    const script = scripts[thread]!;
    const access = node.access!;
    const place = access.bytes > 0 ? prepared.describeAddress(access.at, access.bytes) : '';
    return {
      thread,
      text: branch === Branch.crash ? 'dies' : accessText(access, value, place),
      call: node.op < 0 ? '' : describeCall(script, node.op),
      site: siteOf(sites[index]!),
      returned: (edge?.returned ?? []).map(
        ({ op, result }) => `${describeCall(script, op)} returns ${describeValue(result)}`,
      ),
    };
  });
}

const shorten = (site: string): string =>
  site.replace(/(\(?)[^()]*\/([^/()]+:\d+):\d+\)?$/, '$1$2').replace('(', '');

/** The steps in one column per thread. */
export function formatTrace(steps: readonly TraceStep[], names: readonly string[]): string {
  const used = names
    .map((_, thread) => thread)
    .filter((thread) => steps.some((step) => step.thread === thread));
  const cells = steps.flatMap((step) => [
    { thread: step.thread, text: step.text, site: shorten(step.site) },
    ...step.returned.map((text) => ({ thread: step.thread, text: `=> ${text}`, site: '' })),
  ]);
  const widths = used.map((thread) =>
    Math.max(
      names[thread]!.length,
      ...cells.filter((cell) => cell.thread === thread).map((cell) => cell.text.length),
    ),
  );
  const line = (texts: readonly string[], site: string): string =>
    `  ${texts.map((text, column) => text.padEnd(widths[column]!)).join('  ')}  ${site}`.trimEnd();
  const head = line(
    used.map((thread) => names[thread]!),
    'source',
  );
  const rule = line(
    widths.map((width) => '-'.repeat(width)),
    '------',
  );
  const body = cells.map((cell) =>
    line(
      used.map((thread) => (thread === cell.thread ? cell.text : '')),
      cell.site,
    ),
  );
  return [head, rule, ...body].join('\n');
}

const tokenVersion = 'il1';

/** Packs steps into text. */
export function encodeToken(threads: number, path: readonly number[]): string {
  const parts: string[] = [];
  for (let index = 0; index < path.length; ) {
    let length = 1;
    while (path[index + length] === path[index]) length++;
    parts.push(`${path[index]!.toString(36)}${length > 1 ? `*${length.toString(36)}` : ''}`);
    index += length;
  }
  return `${tokenVersion}-${threads}-${parts.join('.')}`;
}

/** Unpacks a token for a scenario of so many threads. */
export function decodeToken(token: string, threads: number): number[] {
  const match = /^il1-(\d)-([0-9a-z.*]*)$/.exec(token);
  if (match === null) throw new TokenError(`not a replay token: token=${token}`);
  if (Number(match[1]) !== threads) {
    throw new TokenError(`the token is for ${match[1]} threads: threads=${threads}`);
  }
  if (match[2] === '') return [];
  return match[2]!.split('.').flatMap((part) => {
    const [action, length = '1'] = part.split('*');
    return new Array<number>(Number.parseInt(length, 36)).fill(Number.parseInt(action!, 36));
  });
}
