// Goal: a thread that is killed at any moment damages nothing, loses nothing that it had published, and blocks
// nobody. Method: a few rounds of the stress suite (`npm run stress` makes more than a thousand kills).
import { expect, test } from 'vitest';
import { killRounds } from '../stress/kill.ts';

test('24 threads die at random moments', async () => {
  expect(await killRounds(6, 20261123)).toBe(24);
});
