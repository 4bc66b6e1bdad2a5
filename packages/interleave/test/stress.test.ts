/**
 * Goal: real workers show only what the search allows, and the harness reports what isn't allowed. Method: small programs,
 * with the outcomes computed by the search as the table. What is seen besides depends on the machine and decides
 * nothing.
 */
import { outcomes, ScenarioError } from '@millrace/interleave';
import { type StressProgram, sensitivity, stress } from '@millrace/interleave/stress';
import { expect, test } from 'vitest';

const fixture = async (name: string) => {
  const url = new URL(`./fixtures/${name}.mjs`, import.meta.url);
  const { program } = (await import(url.href)) as { program: StressProgram };
  const { outcomes: allowed } = outcomes({
    setup: () => new Int32Array(new SharedArrayBuffer(4 * program.words)),
    threads: program.threads.map((run) => ({ run })),
  });
  return { url, allowed };
};

test('store buffering with Atomics: nothing that is forbidden', { timeout: 60_000 }, async () => {
  const { url, allowed } = await fixture('store-buffering');
  expect([...allowed].sort()).toEqual(['0 | 1', '1 | 0', '1 | 1']);
  const result = await stress(url, { allowed, durationMs: 300, seed: 1 });
  expect(result.forbidden).toEqual([]);
  expect(result.samples).toBeGreaterThan(0);
  expect(result.seed).toBe(1);
});

test('what was seen and not allowed is reported', { timeout: 60_000 }, async () => {
  const { url, allowed } = await fixture('lost-update');
  expect([...allowed].sort()).toEqual(['0 | 0', '0 | 1', '1 | 0']);
  const result = await stress(url, { allowed: new Set(['9 | 9']), durationMs: 100, instances: 64 });
  expect(result.forbidden.length).toBeGreaterThan(0);
  expect(result.unseen).toEqual(['9 | 9']);
  expect(result.forbidden.every((outcome) => allowed.has(outcome))).toBe(true);
});

test('sensitivity is a share', { timeout: 60_000 }, async () => {
  const share = await sensitivity({ durationMs: 200 });
  expect(share).toBeGreaterThanOrEqual(0);
  expect(share).toBeLessThanOrEqual(1);
});

test('options are checked', async () => {
  const { url } = await fixture('store-buffering');
  await expect(stress(url, { instances: 0 })).rejects.toThrow(ScenarioError);
  await expect(stress(url, { durationMs: 0.5 })).rejects.toThrow(/durationMs=0.5/);
  await expect(stress('node:path')).rejects.toThrow(/exports no program/);
});
