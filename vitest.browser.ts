import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const executablePath =
  process.env['CHROMIUM'] ?? (existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : undefined);

/** Settings for `test/**\/*.browser.test.ts`: real Chromium, cross-origin isolated. */
export const browserProject = (url: string): ViteUserConfig => {
  const directory = fileURLToPath(new URL('.', url));
  return defineConfig({
    root: directory,
    resolve: { conditions: ['@millrace/source'] },
    server: {
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
    test: {
      name: `${basename(directory)}:chromium`,
      include: ['test/**/*.browser.test.ts'],
      reporters: process.env['CI'] ? ['dot', 'json'] : ['default', 'json'],
      outputFile: { json: 'reports/vitest.browser.json' },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            ...(executablePath === undefined ? {} : { executablePath }),
            args: [
              '--no-sandbox',
              '--disable-gpu',
              '--disable-quic',
              '--disable-background-networking',
              '--disable-component-update',
              '--disable-sync',
              '--no-first-run',
            ],
          },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  });
};
