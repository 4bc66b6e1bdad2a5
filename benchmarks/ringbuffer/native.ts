/** The same ring in C++, where there is a compiler: what two threads of this machine reach at this moment. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ComparisonRow, Contender } from '../harness/row.ts';
import { pair } from './pair.ts';

const hasCompiler: boolean = spawnSync('g++', ['--version']).status === 0;
let program: string | undefined;

/** Compiles when first used. */
function compiled(): string {
  if (program === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    const source = fileURLToPath(new URL('./native/ring.cpp', import.meta.url));
    program = join(folder, 'ring');
    const flags = ['-O3', '-march=native', '-std=c++20', '-pthread'];
    execFileSync('g++', [...flags, source, '-o', program]);
  }
  return program;
}

const COUNT = {
  copy: 6e6,
  claim: 3e6,
  claimsc: 3e6,
  trip: 3e5,
  trip99: 3e5,
  parktrip: 3e5,
  parktrip99: 3e5,
  paced: 4e5,
  pacedcpu: 4e5,
};
const FACTOR = {
  copy: 1,
  claim: 1,
  claimsc: 1,
  trip: 1e-3,
  trip99: 1e-3,
  parktrip: 1e-3,
  parktrip99: 1e-3,
  paced: 1e-3,
  pacedcpu: 1,
};

/** Runs a mode of `native/ring.cpp`: ns per message, us of a trip or of a paced message, % of a core. */
const native =
  (mode: keyof typeof COUNT, size: number): Contender =>
  () => {
    const count = mode === 'copy' ? Math.min(COUNT.copy, Math.ceil(6e9 / size)) : COUNT[mode];
    const text = execFileSync(compiled(), [mode, `${size}`, `${count}`], { encoding: 'utf8' });
    return Number(text) * FACTOR[mode];
  };

/** Contenders to print beside ours; none without a compiler. */
export const anchors = (mode: keyof typeof COUNT, size: number): Record<string, Contender> =>
  hasCompiler ? { 'C++': native(mode, size) } : {};

export const nativeRow: ComparisonRow = {
  kind: 'comparison',
  name: 'wasm-backed, in place, vs native C++ ring, 64 B',
  unit: 'ns/message',
  better: 'lower',
  rounds: 5,
  bar: 0.6,
  unavailable: () => (hasCompiler ? undefined : 'no g++ on PATH'),
  ours: () => pair('wasm', 64),
  peers: { 'C++': native('copy', 64) },
};
