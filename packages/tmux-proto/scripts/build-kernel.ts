// Compiles assembly/kernel.ts into src/kernel.wasm.ts. `node scripts/build-kernel.ts [--check]`.
import { fileURLToPath } from 'node:url';
import { buildKernelFile, compileKernel, type Kernel } from '../../../tools/wasm-kernel.ts';

const kernel: Kernel = {
  source: new URL('../assembly/kernel.ts', import.meta.url),
  target: new URL('../src/kernel.wasm.ts', import.meta.url),
  flags: ['--initialMemory', '1', '--memoryBase', '16384'],
};

/** Returns the text of src/kernel.wasm.ts. */
export const buildKernel = (): Promise<string> => compileKernel(kernel);

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernelFile(kernel);
