// Runs a package's browser tests in real Chromium, from the package's folder: `node ../../tools/browser-tests.mjs
// [CONFIG...]`, by default vitest.browser.config.ts. Where there is no Chromium it says so and succeeds.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const configs = process.argv.length > 2 ? process.argv.slice(2) : ['vitest.browser.config.ts'];
if (!existsSync(chromium)) {
  console.log(`no Chromium at ${chromium}: browser tests are skipped`);
  process.exit(0);
}
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
for (const config of configs) {
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
