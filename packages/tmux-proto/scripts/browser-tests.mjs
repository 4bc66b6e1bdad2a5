// Runs the browser tests where Chromium is, else says that they were skipped.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (!existsSync(chromium)) {
  console.log(`browser tests skipped: no Chromium at ${chromium}`);
} else {
  const args = ['run', '--config', 'vitest.browser.config.ts'];
  const result = spawnSync('vitest', args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exitCode = result.status ?? 1;
}
