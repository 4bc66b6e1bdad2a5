/**
 * What the package weighs: memory per histogram, allocation per record, error of percentiles, bytes to load.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DDSketch } from '@datadog/sketches-js';
import * as core from '@millrace/histogram';
import { Histogram } from '@millrace/histogram';
import tdigest from 'tdigest';
import type { Row } from '../harness/row.ts';
import { HIGHEST, lognormal, random } from './data.ts';

const dist = fileURLToPath(new URL('../../packages/histogram/dist/index.js', import.meta.url));

/** Bundles what a program needs that imports these names, minified. */
const bundled = async (names: string, more = ''): Promise<number> => {
  const { build } = (await import('esbuild' as string)) as {
    build(options: object): Promise<{ outputFiles: { contents: Uint8Array }[] }>;
  };
  const { outputFiles } = await build({
    stdin: {
      contents: `export { ${names} } from ${JSON.stringify(dist)}; ${more}`,
      resolveDir: '/',
    },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length / 1000;
};

/** Records values and returns what asks for a percentile. */
type Sketch = (list: readonly number[]) => (percentile: number) => number;
const ours: Sketch = (list) => {
  const histogram = new Histogram({ highest: HIGHEST });
  histogram.recordMany(list);
  return (percentile) => histogram.percentile(percentile);
};
const ddsketch: Sketch = (list) => {
  const sketch = new DDSketch({ relativeAccuracy: 0.01 });
  for (const value of list) sketch.accept(value);
  return (percentile) => sketch.getValueAtQuantile(percentile / 100);
};
const digest: Sketch = (list) => {
  const sketch = new tdigest.TDigest();
  for (const value of list) sketch.push(value);
  return (percentile) => sketch.percentile(percentile / 100);
};

/** Worst relative error over percentiles 50 to 99.999, against the sorted values of four distributions. */
const worstError = (sketch: Sketch) => (): number => {
  const next = random(99);
  const gauss = (): number =>
    Math.sqrt(-2 * Math.log(next() + 1e-18)) * Math.cos(2 * Math.PI * next());
  const distributions = [
    () => Math.exp(Math.log(20_000) + gauss()),
    () => (next() < 0.97 ? 18_000 + 900 * gauss() : 4e6 + 3e5 * gauss()),
    () => 5000 / (1 - next()) ** (1 / 1.3),
    () =>
      [1200, 1500, 52_000, 16_600_000][Math.floor(next() * next() * 4)]! + Math.floor(next() * 40),
  ];
  let worst = 0;
  for (const draw of distributions) {
    const list = Array.from({ length: 200_000 }, () =>
      Math.floor(Math.max(1, Math.min(3.5e12, draw()))),
    );
    const valueAt = sketch(list);
    list.sort((a, b) => a - b);
    for (const percentile of [50, 75, 90, 95, 99, 99.9, 99.99, 99.999]) {
      const exact = list[Math.ceil((percentile * 1000 * list.length) / 100_000 - 1e-9) - 1]!;
      worst = Math.max(worst, Math.abs(valueAt(percentile) - exact) / exact);
    }
  }
  return worst * 100;
};

const allocatedPerRecord = (): number => {
  const histogram = new Histogram({ highest: HIGHEST });
  const values = lognormal(1 << 16, 5);
  const loop = (): void => {
    for (let i = 0; i < values.length; i++) histogram.record(values[i]!);
  };
  for (let i = 0; i < 50; i++) loop();
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let i = 0; i < 200; i++) loop();
  const after = process.memoryUsage();
  // A few hundred bytes of the measurement itself, spread over 13 million records.
  const bytes = after.heapUsed - before.heapUsed + after.external - before.external;
  return Math.max(0, Math.round(bytes / (200 * values.length)));
};

const bytesPerHistogram = (): number => {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const kept = Array.from({ length: 200 }, () => new Histogram({ highest: HIGHEST, digits: 3 }));
  globalThis.gc?.();
  const after = process.memoryUsage();
  const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
  return (bytes - kept[0]!.length * 4 * kept.length) / kept.length;
};

const needs = (file: string) => (): string | undefined =>
  existsSync(file) ? undefined : `not built: ${file}`;

export const weightRows: readonly Row[] = [
  {
    name: 'worst error of percentiles 50 to 99.999, 3 digits, four distributions',
    kind: 'absolute',
    unit: '%',
    better: 'lower',
    rounds: 3,
    ours: worstError(ours),
    bar: 100 / 1024,
    peers: { 'DDSketch 1 %': worstError(ddsketch), 'tdigest, default': worstError(digest) },
  },
  {
    name: 'bytes allocated per record',
    kind: 'absolute',
    unit: 'bytes',
    better: 'lower',
    rounds: 3,
    ours: allocatedPerRecord,
    bar: 0,
  },
  {
    name: 'memory beside 4 bytes per bucket',
    kind: 'absolute',
    unit: 'bytes',
    better: 'lower',
    rounds: 3,
    ours: bytesPerHistogram,
    bar: 1024,
  },
  {
    name: 'size of Histogram with all it needs (minified, gzip)',
    kind: 'absolute',
    unit: 'kB',
    better: 'lower',
    rounds: 3,
    unavailable: needs(dist),
    ours: () => bundled('Histogram'),
    bar: 6,
    peers: {
      'with SimdMemory': () =>
        bundled(
          'Histogram',
          `export * from ${JSON.stringify(dist.replace('index.js', 'simd/index.js'))}`,
        ),
      'with SharedHistogram': () => bundled('Histogram, SharedHistogram'),
      'the whole main entry': () => bundled(Object.keys(core).join(', ')),
    },
  },
  {
    name: 'runtime dependencies',
    kind: 'absolute',
    unit: 'packages',
    better: 'lower',
    rounds: 3,
    ours: () => {
      const manifest = new URL('../../packages/histogram/package.json', import.meta.url);
      return Object.keys(JSON.parse(readFileSync(manifest, 'utf8')).dependencies ?? {}).length;
    },
    bar: 0,
  },
];
