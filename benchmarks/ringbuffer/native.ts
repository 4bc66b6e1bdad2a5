/** Wasm loops over our ring against the same ring in C++, where there is a compiler. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ComparisonRow } from '../harness/row.ts';
import { pair } from './pair.ts';

const SIZE = 64;
let folder: string | undefined;

export const nativeRow: ComparisonRow = {
  kind: 'comparison',
  name: 'wasm-backed, in place, vs native C++ ring, 64 B',
  unit: 'ns/message',
  better: 'lower',
  rounds: 5,
  bar: 0.6,
  unavailable: () => (spawnSync('g++', ['--version']).status === 0 ? undefined : 'no g++ on PATH'),
  setup() {
    folder = mkdtempSync(join(tmpdir(), 'millrace-'));
    const source = fileURLToPath(new URL('./native/ring.cpp', import.meta.url));
    const flags = ['-O3', '-march=native', '-std=c++20', '-pthread'];
    execFileSync('g++', [...flags, source, '-o', join(folder, 'ring')]);
  },
  teardown() {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  },
  ours: () => pair('wasm', SIZE),
  peers: {
    'C++': () =>
      Number(execFileSync(join(folder!, 'ring'), [`${SIZE}`, '6000000'], { encoding: 'utf8' })),
  },
};
