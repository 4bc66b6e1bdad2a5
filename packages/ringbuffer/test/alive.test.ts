/**
 * Goal: a wait keeps its process alive, or doesn't, as the caller says.
 * Method: a process that waits while nothing else would keep it; a timer that keeps nothing alive ends the wait, so the
 * word that it prints then tells whether the process was still there.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const fixture = fileURLToPath(new URL('./fixtures/alive.mjs', import.meta.url));
const run = async (what: string, how: string): Promise<string> =>
  (await promisify(execFile)(process.execPath, [...process.execArgv, fixture, what, how])).stdout;

describe.each(['pop', 'push', 'queue'])('a wait of %s', (what) => {
  test.each([
    ['by default', 'woken\n'],
    ['unref, ref', 'woken\n'],
    ['option', ''],
    ['unref', ''],
  ])('%s: prints %j', async (how, printed) => {
    expect(await run(what, how)).toBe(printed);
  });
});
