// Goal: the committed kernel is what its source builds to, and nothing fails where there is no WebAssembly. Method: a
// fresh build compared; the module loaded without WebAssembly.
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { buildKernel } from '../scripts/build-kernel.ts';

it('src/simd/kernel.wasm.ts is what assembly/kernel.ts builds to', async () => {
  const committed = readFileSync(new URL('../src/simd/kernel.wasm.ts', import.meta.url), 'utf8');
  expect(await buildKernel()).toBe(committed);
});

it('without WebAssembly, histograms are in ordinary memory', async () => {
  vi.resetModules();
  vi.stubGlobal('WebAssembly', undefined);
  try {
    const { SimdMemory } = await import('../src/simd/index.ts');
    const { Histogram } = await import('../src/histogram.ts');
    const memory = new SimdMemory();
    const histogram = new Histogram({ memory });
    histogram.recordMany([1, 2, 3]);
    expect([memory.isAccelerated, memory.holds(histogram), histogram.percentile(50)]).toEqual([
      false,
      false,
      2,
    ]);
  } finally {
    vi.unstubAllGlobals();
  }
});
