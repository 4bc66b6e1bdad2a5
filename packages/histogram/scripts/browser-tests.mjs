// Runs the browser tests where there is a Chromium, and says so where there is none.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (existsSync(chromium)) {
  const { status } = spawnSync('vitest', ['run', '--config', 'vitest.browser.config.ts'], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} else {
  console.log(`skipped: browser tests, no Chromium at ${chromium} (set CHROMIUM)`);
}
