// Runs turbo with telemetry off: `node tools/turbo.mjs TASK... [FLAG...]`. turbo.json cannot switch it off.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs turbo in the repository's root and returns its exit status (1 if it could not start). */
export function turbo(args, options = {}) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const result = spawnSync(
    process.execPath,
    [
      '--env-file=tools/turbo.env',
      'node_modules/turbo/bin/turbo',
      'run',
      // Tests run threads, processes and a tmux of their own: more at a time only makes them wait for one another.
      '--concurrency=2',
      ...args,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], cwd: root, ...options },
  );
  return result.status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = turbo([...process.argv.slice(2), '--output-logs=errors-only']);
}
