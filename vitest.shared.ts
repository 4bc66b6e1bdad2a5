import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * With MILLRACE_DIST set, tests run against `dist`, what users install; otherwise against the sources of
 * every package of the workspace, no build needed. Tests therefore import their package by its name.
 */
const conditions = process.env['MILLRACE_DIST'] === undefined ? ['@millrace/source'] : [];

/** Vitest settings of the package whose vitest.config.ts passes its `import.meta.url`. */
export const project = (url: string): ViteUserConfig => {
  const directory = fileURLToPath(new URL('.', url));
  const resolved = [...conditions, ...defaultServerConditions];
  return defineConfig({
    resolve: { conditions: resolved },
    ssr: { resolve: { conditions: resolved } },
    test: {
      name: basename(directory),
      root: directory,
      include: ['test/**/*.test.ts'],
      exclude: [
        'test/**/*.browser.test.ts',
        // Internals aren't reachable through `dist`.
        ...(conditions.length > 0 ? [] : ['test/**/*.internal.test.ts']),
      ],
      pool: 'forks',
      // Worker threads inherit the condition, so a fixture worker resolves the same build as its test.
      execArgv: conditions.map((condition) => `--conditions=${condition}`),
      // Timing never decides a test: this is for one that hangs, on a machine that is busy.
      testTimeout: 120_000,
      hookTimeout: 60_000,
      reporters: process.env['CI'] ? ['dot', 'json'] : ['default', 'json'],
      outputFile: { json: 'reports/vitest.json' },
    },
  });
};
