import { defineConfig } from 'vitest/config';

/** `npx vitest` at the root watches every package at once; coverage is merged here. */
export default defineConfig({
  test: {
    projects: ['packages/*'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.wasm.ts'],
      reporter: ['text', 'lcov'],
    },
  },
});
