/**
 * The ringbuffer table of the targets. Two workers per sample; figures are the best decile of windows of at
 * least eight rings of traffic, so that a neighbour's burst doesn't count. Payloads are written and read; for
 * ours they are copied in and read in place, the peers have no such way out. Beside ours, the same ring in C++:
 * what the hardware gives depends on which cores a virtual machine's threads get, by a factor of five for 1 KiB,
 * and that may change between two samples (docs/guides/ringbuffer.md, "What it costs"). In place, the floor is beside
 * it: two bare loops with nothing of ours in them (`bare.ts`), and C++ with the only atomic accesses that JavaScript
 * has. Not measured: start-up, and platforms other than this one.
 */
import type { AbsoluteRow, ComparisonRow, Contender, Row } from '../harness/row.ts';
import { laneRow } from './lanes.ts';
import { latencyRows } from './latency.ts';
import { anchors, nativeRow } from './native.ts';
import { isBuilt, pair } from './pair.ts';
import { robustnessRows } from './robustness.ts';
import { threadStream } from './thread-stream.ts';

const OURS = 'copy in, drain in place';
const unit = 'ns/message';

const against = (
  name: string,
  size: number,
  peers: readonly string[],
  bar: number,
  stretch: number,
): ComparisonRow => ({
  kind: 'comparison',
  name,
  unit,
  better: 'lower',
  rounds: 3,
  bar,
  stretch,
  ours: () => pair(OURS, size),
  peers: Object.fromEntries(peers.map((peer) => [peer, () => pair(peer, size)])),
  beside: anchors('copy', size),
});

const RINGBUF = ['ringbuf.js Uint8Array', 'ringbuf.js Int32Array'] as const;
const label = (size: number): string => (size < 1024 ? `${size} B` : `${size >> 10} KiB`);

const postMessage = (
  [
    [8, 100],
    [64, 60],
    [256, 35],
    [1024, 28],
    [65536, 12],
  ] as const
).map(([size, bar]) =>
  against(
    `vs postMessage clone, ${label(size)}`,
    size,
    ['postMessage clone'],
    bar,
    Math.round(bar * 12) / 10,
  ),
);

const ringbuf = (
  [
    [8, 6],
    [64, 3.8],
    [256, 2.4],
    [1024, 3],
    [65536, 8],
  ] as const
).map(([size, bar]) =>
  against(
    `vs ringbuf.js at its best type, ${label(size)}`,
    size,
    RINGBUF,
    bar,
    Math.round(bar * 12) / 10,
  ),
);

const otherPorts = (
  [
    [8, 2.8],
    [64, 1.8],
    [256, 1.2],
    [1024, 1.1],
  ] as const
).map(([size, bar]) =>
  against(
    `vs postMessage transferred, and 64 by hand, ${label(size)}`,
    size,
    ['postMessage transfer', 'postMessage, 64 by hand'],
    bar,
    Math.round(bar * 12) / 10,
  ),
);

const logLines = [64, 256, 1024].map(
  (size): ComparisonRow => ({
    ...against(`vs thread-stream, ${label(size)}`, size, [], 3, 4),
    peers: { 'thread-stream': () => threadStream(size) },
  }),
);

/** C++ with no other loads and stores than JavaScript has. */
const sequential = (size: number): Record<string, Contender> =>
  Object.fromEntries(
    Object.values(anchors('claimsc', size)).map((run) => ['C++, seq_cst only', run]),
  );

const inPlace = [8, 64, 1024, 65536].map(
  (size): AbsoluteRow => ({
    kind: 'absolute',
    name: `claim and drain in place, ${label(size)}`,
    unit,
    better: 'lower',
    rounds: 3,
    bar: 10,
    ours: () => pair('in place', size),
    peers: { 'bare loops': () => pair('bare loops, in place', size) },
    beside: { ...anchors('claim', size), ...sequential(size) },
    note: 'beside: the same memory operations in bare loops and in C++ at this moment, without claims, checks and calls',
  }),
);

const copies = (
  [
    [64, 30],
    [256, 50],
    [1024, 90],
  ] as const
).map(
  ([size, bar]): AbsoluteRow => ({
    kind: 'absolute',
    name: `copy kernels and policies, ${label(size)}`,
    unit,
    better: 'lower',
    rounds: 3,
    bar,
    ours: () => pair(OURS, size),
    peers: {
      'ours, set': () => pair('copy in by set, drain in place', size),
      'ours, words': () => pair('copy in by words, drain in place', size),
      'ours, buffer': () => pair('copy in by buffer, drain in place', size),
      'ours, copied out too': () => pair('copy', size),
      'ours, published each': () => pair('copy, published each', size),
    },
    beside: anchors('copy', size),
  }),
);

/** How near the two threads are to each other now, told by C++; and which code the workers run. */
export async function about(): Promise<string> {
  const code = isBuilt ? 'the build' : 'the source, as there is no newer build';
  const trip = anchors('trip', 64)['C++'];
  const copy = anchors('copy', 1024)['C++'];
  if (trip === undefined || copy === undefined) return `Measured: ${code}. No compiler: no C++.`;
  const [us, ns] = [await trip(), await copy()];
  return (
    `Measured: ${code}. The machine when this run began: a C++ round trip ${us.toFixed(2)} us, 1 KiB by the C++ ring ` +
    `${ns.toFixed(1)} ns; the threads are ${us < 0.5 ? 'near' : 'far from'} each other (near: about 0.25 us and 20 ns, ` +
    'far: 1.1 us and 110 ns).'
  );
}

export const rows: readonly Row[] = [
  ...postMessage,
  ...ringbuf,
  ...otherPorts,
  ...logLines,
  ...inPlace,
  ...copies,
  laneRow,
  nativeRow,
  ...latencyRows,
  ...robustnessRows,
];
