/**
 * Goal: real workers show only what the search allows, and the harness reports what isn't allowed. Method: small programs,
 * with the outcomes computed by the search as the table. What is seen besides depends on the machine and decides
 * nothing.
 */
import { outcomes, ScenarioError } from '@millrace/interleave';
import {
  engineFlags,
  explain,
  programOf,
  type StressProgram,
  sensitivity,
  stress,
  stressMatrix,
  stressScenario,
} from '@millrace/interleave/stress';
import { expect, test } from 'vitest';

const fixture = async (name: string) => {
  const url = new URL(`./fixtures/${name}.mjs`, import.meta.url);
  const { program } = (await import(url.href)) as { program: StressProgram };
  const { outcomes: allowed } = outcomes(stressScenario(program));
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

test('each way in which the engine runs code: a process of its own, the same seed', {
  timeout: 120_000,
}, async () => {
  const { url, allowed } = await fixture('store-buffering');
  const { default: none, interpreted } = engineFlags;
  const engines = { default: none!, interpreted: interpreted!, none: ['--such-a-flag'] };
  const runs = await stressMatrix(url, { allowed, engines, durationMs: 50, seed: 7 });
  expect(runs.map(({ engine }) => engine)).toEqual(['default', 'interpreted']);
  for (const run of runs) {
    expect(run.forbidden).toEqual([]);
    expect(run.samples).toBeGreaterThan(0);
    expect(run.seed).toBe(7);
    expect(run.sensitivity).toBeGreaterThanOrEqual(0);
  }
});

test('a script that fails goes to the search, which makes it small', {
  timeout: 60_000,
}, async () => {
  const url = new URL('./fixtures/lossy-cell.mjs', import.meta.url);
  const { script } = await import(url.href);
  const right = {
    ...script,
    attach: (memory: Int32Array) => ({
      load: () => Atomics.load(memory, 0),
      add: (value: number) => Atomics.add(memory, 0, value),
    }),
  };
  // What a cell that loses nothing may show; on some run of this one it isn't enough.
  const { outcomes: allowed } = outcomes(stressScenario(programOf(right)));
  const { samples } = await stress(url, { allowed, durationMs: 100 });
  expect(samples).toBeGreaterThan(0);

  const found = explain(script)!;
  expect(found.threads).toEqual([[['add', 1]], [['add', 2]]]);
  expect(found.result.kind).toBe('linearizability');
  expect(found.result.token).toMatch(/^il1-2-/);
  expect(explain(right)).toBeNull();
});

test('what a script returns is counted as numbers', () => {
  const { threads } = programOf({
    words: 1,
    attach: () => ({ yes: () => true, no: () => false, nothing: () => undefined, text: () => 'x' }),
    threads: [[['yes'], ['no'], ['nothing']], [['text']]],
  });
  expect(threads[0]!(new Int32Array(1))).toEqual([1, 0, -1]);
  expect(() => threads[1]!(new Int32Array(1))).toThrow(ScenarioError);
});
