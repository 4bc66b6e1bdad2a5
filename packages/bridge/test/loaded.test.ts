/**
 * Goal: a session that needs no worker, recording or gzip loads nothing of them, nor what an import of Node's larger
 * modules evaluates: the memory of a quiet session is what it can't do without. Method: a process of its own, and
 * Node's list of what it has loaded; loading is seen where it is asked for, so the list is the right one.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('./fixtures/loaded.mjs', import.meta.url));
const conditions =
  process.env['MILLRACE_DIST'] === undefined ? ['--conditions=@millrace/source'] : [];

test('a quiet inline session loads what it needs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...conditions, program]);
  const { quiet, unzipped } = JSON.parse(stdout) as Record<'quiet' | 'unzipped', string[]>;
  expect(quiet).toContain('NativeModule child_process');
  for (const name of ['zlib', 'worker_threads', 'v8', 'internal/util/parse_args/parse_args']) {
    expect(quiet).not.toContain(`NativeModule ${name}`);
  }
  expect(unzipped).toContain('NativeModule zlib');
});
