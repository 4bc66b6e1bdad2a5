/**
 * Cost of one record, one loop function per library, so that each call site stays monomorphic.
 *
 * Measured: a call of record through a parameter, min/max and exact counts kept, 3 digits, 1 ns to 1 h.
 * Not measured: reading the clock, which costs ten times as much and is the same for all.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { DDSketch } from '@datadog/sketches-js';
import { Histogram } from '@millrace/histogram';
import * as hdr from 'hdr-histogram-js';
import prom from 'prom-client';
import tdigest from 'tdigest';
import type { Row } from '../harness/row.ts';
import { HIGHEST, lognormal, sample } from './data.ts';

const values = lognormal(65_536, 7);
hdr.initWebAssemblySync();

const hdrOptions = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: HIGHEST,
  numberOfSignificantValueDigits: 3,
  autoResize: false,
} as const;

/** A contender whose loop is compiled for its own recorder only. */
const recording = <Recorder>(
  create: () => Recorder,
  loop: (recorder: Recorder, values: readonly number[]) => void,
): (() => number) => {
  let recorder: Recorder | undefined;
  return () => {
    if (recorder === undefined) {
      recorder = create();
      for (let i = 0; i < 40; i++) loop(recorder, values);
    }
    return sample(() => loop(recorder!, values), values.length);
  };
};

const ours = recording(
  () => new Histogram({ highest: HIGHEST, digits: 3 }),
  (histogram, list) => {
    for (let i = 0; i < list.length; i++) histogram.record(list[i]!);
  },
);
const wasm = recording(
  () => hdr.build({ ...hdrOptions, bitBucketSize: 32, useWebAssembly: true }),
  (histogram, list) => {
    for (let i = 0; i < list.length; i++) histogram.recordValue(list[i]!);
  },
);
const js = recording(
  () => hdr.build({ ...hdrOptions, bitBucketSize: 32 }),
  (histogram, list) => {
    for (let i = 0; i < list.length; i++) histogram.recordValue(list[i]!);
  },
);
const node = recording(
  () => createHistogram({ lowest: 1, highest: HIGHEST, figures: 3 }),
  (histogram, list) => {
    for (let i = 0; i < list.length; i++) histogram.record(list[i]!);
  },
);
const ddsketch = recording(
  () => new DDSketch({ relativeAccuracy: 0.01 }),
  (sketch, list) => {
    for (let i = 0; i < list.length; i++) sketch.accept(list[i]!);
  },
);
const digest = recording(
  () => new tdigest.TDigest(),
  (sketch, list) => {
    for (let i = 0; i < list.length; i++) sketch.push(list[i]!);
  },
);
/** Eleven buckets, its default: what most services have. Its histogram keeps no minimum and maximum. */
const prometheus = recording(
  () => new prom.Histogram({ name: 'latency', help: 'of a stage', registers: [] }),
  (histogram, list) => {
    for (let i = 0; i < list.length; i++) histogram.observe(list[i]!);
  },
);
const eight = recording(
  () => Array.from({ length: 8 }, () => new Histogram({ highest: HIGHEST, digits: 3 })),
  (histograms, list) => {
    for (let i = 0; i < list.length; i++) histograms[i & 7]!.record(list[i]!);
  },
);

/** A folder with hdr_histogram.c of HdrHistogram_c, which no Debian package has; without it, our translation. */
const library = process.env['HDR_HISTOGRAM_C'];
let directory: string | undefined;
const native = (): number => {
  if (directory === undefined) {
    directory = mkdtempSync(join(tmpdir(), 'record-'));
    const source = fileURLToPath(new URL('./record.c', import.meta.url));
    const real =
      library === undefined ? [] : ['-DREAL', `-I${library}`, join(library, 'hdr_histogram.c')];
    const out = join(directory, 'record');
    execFileSync('cc', ['-O3', '-march=native', '-o', out, source, ...real, '-lm']);
  }
  return Number(execFileSync(join(directory, 'record'), { encoding: 'utf8' }));
};
const withoutCompiler = (): string | undefined => {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no C compiler';
  }
};

const row = {
  kind: 'comparison',
  unit: 'ns/record',
  better: 'lower',
  ours,
} as const;

export const recordRows: readonly Row[] = [
  {
    ...row,
    name: 'record vs hdr-histogram-js, WASM',
    peers: { 'hdr-histogram-js WASM': wasm },
    bar: 3.5,
  },
  { ...row, name: 'record vs hdr-histogram-js, JS', peers: { 'hdr-histogram-js JS': js }, bar: 12 },
  { ...row, name: 'record vs Node createHistogram', peers: { createHistogram: node }, bar: 6.5 },
  { ...row, name: 'record vs DDSketch, 1 %', peers: { DDSketch: ddsketch }, bar: 4.5 },
  { ...row, name: 'record vs tdigest', peers: { tdigest: digest }, bar: 30 },
  {
    ...row,
    name: 'record vs prom-client, 11 buckets',
    peers: { 'prom-client': prometheus },
    bar: 20,
  },
  {
    ...row,
    name: 'record vs the same algorithm in C',
    peers: {
      [library === undefined ? 'our translation of HdrHistogram_c, -O3' : 'HdrHistogram_c, -O3']:
        native,
    },
    // At most 1.7 times its time.
    bar: 0.59,
    stretch: 0.77,
    unavailable: withoutCompiler,
    teardown: () => {
      if (directory !== undefined) rmSync(directory, { recursive: true });
      directory = undefined;
    },
  },
  {
    name: 'record, absolute',
    kind: 'absolute',
    unit: 'ns/record',
    better: 'lower',
    ours,
    bar: 3.2,
    stretch: 2.7,
  },
  {
    name: 'record into eight histograms in turn',
    kind: 'absolute',
    unit: 'ns/record',
    better: 'lower',
    ours: eight,
    bar: 4,
    stretch: 3.5,
  },
];
