/**
 * tmux-proto against the ways in which people parse control mode.
 *
 * Measured: bytes in to events delivered to a sink that touches each; 64 KiB chunks, the copy of each chunk into
 * a receive buffer included. Not measured: what a consumer does with the bytes. The peers are in peers.ts, the
 * corpora in corpora.ts, how in measure.ts. Rows about a live tmux need tmux, the vim row vim too.
 */
import type { Row } from '../harness/row.ts';
import { type CorpusName, corpus, hasTmux, hasVim, recordVim } from './corpora.ts';
import { fuzz, recordings } from './correctness.ts';
import { debug, iteratorTime, objects, paneText, raw } from './layers.ts';
import {
  allocated,
  copySpeed,
  eventTime,
  js,
  readlineSpeed,
  readTime99,
  speed,
  wasm,
} from './measure.ts';
import { byteConcat, splitRegex, stringBuffer } from './peers.ts';
import { Sink } from './sink.ts';
import {
  discardSpeed,
  freshTime,
  hexSpeed,
  pasteSpeed,
  receiveSpeed,
  shareOfCore,
  waitingSpeed,
} from './transport.ts';

const noTmux = (): string | undefined => (hasTmux ? undefined : 'tmux is not installed');
const base = { unit: 'MB/s', better: 'higher', rounds: 3, kind: 'comparison' } as const;
const common = (name: CorpusName) => ({
  'split + regex': () => speed(splitRegex, corpus(name)),
  'readline + regex': () => readlineSpeed(corpus(name)),
});
let vim: Buffer;

/** Contents whose decoding is compared. */
const CONTENTS = ['log', 'color', 'utf8', 'dense'] as const;

export const rows: readonly Row[] = [
  {
    ...base,
    name: 'log text, vs split + regex',
    ours: () => speed(wasm, corpus('log')),
    peers: { 'split + regex': common('log')['split + regex'] },
    bar: 12,
  },
  {
    ...base,
    name: 'log text, vs readline + regex',
    ours: () => speed(wasm, corpus('log')),
    peers: { 'readline + regex': common('log')['readline + regex'] },
    bar: 15,
  },
  ...(
    [
      ['color', 45],
      ['dense', 100],
      ['tiny', 12],
    ] as const
  ).map(([name, bar]) => ({
    ...base,
    name: `${name}, vs the better of split and readline`,
    ours: () => speed(wasm, corpus(name)),
    peers: common(name),
    bar,
  })),
  {
    ...base,
    name: 'vim recorded in a real tmux, vs the better of split and readline',
    unavailable: () => (hasVim ? noTmux() : 'vim is not installed'),
    setup: async () => {
      vim = await recordVim(1 << 20);
    },
    ours: () => speed(wasm, vim),
    peers: {
      'split + regex': () => speed(splitRegex, vim),
      'readline + regex': () => readlineSpeed(vim),
    },
    bar: 30,
  },
  ...(['log', 'color', 'tiny', 'extended'] as const).map((name) => ({
    ...base,
    name: `${name}, vs our own versions of the published approaches`,
    ours: () => speed(wasm, corpus(name)),
    peers: {
      'string buffer + slice': () => speed(stringBuffer, corpus(name)),
      'byte concat + carry': () => speed(byteConcat, corpus(name)),
    },
    bar: 5,
  })),
  ...(
    [
      ['log', 4.5],
      ['color', 8],
      ['tiny', 12],
    ] as const
  ).map(([name, bar]) => ({
    ...base,
    name: `JS engine alone, ${name}, vs split + regex`,
    ours: () => speed(js, corpus(name)),
    peers: { 'split + regex': common(name)['split + regex'] },
    bar,
  })),
  {
    name: 'decode, slowest content: share of an in-process 64 KiB copy',
    unit: '% of the copy',
    better: 'higher',
    rounds: 3,
    kind: 'absolute',
    ours: () =>
      Math.min(...CONTENTS.map((name) => speed(wasm, corpus(name)) / copySpeed(corpus(name)))) *
      100,
    bar: 6,
  },
  {
    name: 'decode, flatness: slowest content to fastest',
    unit: 'of 1',
    better: 'higher',
    rounds: 3,
    kind: 'absolute',
    ours: () => {
      const speeds = CONTENTS.map((name) => speed(wasm, corpus(name)));
      return Math.min(...speeds) / Math.max(...speeds);
    },
    bar: 0.85,
  },
  {
    name: 'tiny events',
    unit: 'ns/event',
    better: 'lower',
    kind: 'absolute',
    ours: () => eventTime(wasm, corpus('tiny')),
    peers: {
      'JS engine': () => eventTime(js, corpus('tiny')),
    },
    bar: 10,
    stretch: 7,
  },
  {
    name: 'allocated through offsets, worst corpus of both engines',
    unit: 'B/event',
    better: 'lower',
    rounds: 3,
    kind: 'absolute',
    ours: () =>
      Math.max(
        ...[wasm, js].flatMap((engine) =>
          (['log', 'color', 'dense', 'tiny', 'extended'] as const).map((name) =>
            allocated(engine, corpus(name)),
          ),
        ),
      ),
    bar: 0,
  },
  {
    ...base,
    name: 'from a child process to events, vs a null consumer on the same connection',
    ours: receiveSpeed,
    peers: { 'null consumer': discardSpeed },
    beside: { 'null consumer that waits for as long as parsing takes': waitingSpeed },
    bar: 0.8,
    stretch: 0.9,
    note: 'who parses in the thread that reads is no faster than the null consumer that only waits so long',
  },
  {
    name: 'share of a core at the highest rate of tmux',
    unit: '% of a core',
    better: 'lower',
    rounds: 3,
    kind: 'absolute',
    unavailable: noTmux,
    ours: shareOfCore,
    bar: 1.5,
    stretch: 0.5,
  },
  {
    name: 'p99 of a read of 4.8 KB',
    unit: 'us',
    better: 'lower',
    kind: 'absolute',
    ours: () => readTime99(wasm, corpus('log')),
    peers: { 'JS engine': () => readTime99(js, corpus('log')) },
    bar: 5,
  },
  {
    name: 'construction and first MB of a fresh process',
    unit: 'ms',
    better: 'lower',
    kind: 'absolute',
    ours: freshTime,
    bar: 3,
  },
  {
    ...base,
    name: 'paste into a real tmux, vs send-keys -H in 1 KB commands',
    unavailable: noTmux,
    ours: pasteSpeed,
    peers: { 'send-keys -H': hexSpeed },
    bar: 20,
    stretch: 60,
  },
  {
    name: 'fuzz against the oracle, both engines, any cut: differences in 3 x 333,334 comparisons',
    unit: 'differences',
    better: 'lower',
    rounds: 3,
    kind: 'absolute',
    ours: () => fuzz(333_334),
    bar: 0,
  },
  {
    name: 'recordings of tmux 1.8 to 3.8, both engines, three cuts: streams that differ from the oracle',
    unit: 'differences',
    better: 'lower',
    rounds: 3,
    kind: 'absolute',
    ours: recordings,
    bar: 0,
  },
  // Last: handlers of many shapes make the call of a handler slower for the rest of the process.
  {
    name: 'price of a layer, tiny events: event objects',
    unit: 'ns/event',
    better: 'lower',
    rounds: 3,
    kind: 'absolute',
    ours: () => eventTime(objects, corpus('tiny')),
    peers: {
      'raw payload': () => eventTime(raw, corpus('tiny')),
      'text by pane': () => eventTime(paneText, corpus('tiny')),
      'async iterator': () => iteratorTime(corpus('tiny'), new Sink()),
      'debug mode': () => eventTime(debug, corpus('tiny')),
    },
    bar: 200,
  },
];
