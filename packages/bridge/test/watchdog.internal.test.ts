/**
 * Goal: a guardian leaves nothing behind, whenever its last client is given back.
 * Method: clients are given back at random moments after the guardian was started; `ps` is asked for its sleep.
 */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { watch } from '../src/receive/watchdog.ts';
import { until } from './support/tmux.ts';

/** A limit that nobody else has, so that its processes can be told from others'. */
const limitMs = 61_777;

const processes = (): string[] =>
  spawnSync('ps', ['-e', '-o', 'args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes(`${limitMs / 1000}`));

test('a client that is given back at once leaves no sleep', async () => {
  expect(processes()).toEqual([]);
  for (let round = 0; round < 100; round++) {
    const watched = watch(2 ** 22 + round, limitMs); // no process has such a number
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
    watched.release();
  }
  await until(() => !processes().some((line) => line.includes('read -r word pid')));
  await new Promise((resolve) => setTimeout(resolve, 300)); // for one that was told to end
  expect(processes()).toEqual([]);
});
