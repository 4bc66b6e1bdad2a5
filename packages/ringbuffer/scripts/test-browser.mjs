// Runs the browser tests where there is a Chromium, on an isolated page and on an ordinary one; else says that
// it skips them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (!existsSync(chromium)) {
  console.log(`no Chromium at ${chromium}: browser tests are skipped`);
  process.exit(0);
}
const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
for (const name of ['browser', 'unisolated']) {
  const args = [vitest, 'run', '--config', `vitest.${name}.config.ts`];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
