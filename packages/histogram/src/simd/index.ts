export type { SimdMemoryOptions } from './simd-memory.ts';
export { SimdMemory } from './simd-memory.ts';
