/**
 * Goal: mutation testing finds what scenarios don't notice. Method: a small channel whose scenarios kill every
 * mutant but those that its comments explain; with weaker scenarios, comments that aren't true, or code that no
 * scenario reaches, the gate says so.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AnySpec, check, fifo, type Operation } from '@millrace/interleave';
import {
  defineGate,
  type GateScenario,
  type MutationGate,
  mutantsOf,
  mutationTest,
  runGate,
} from '@millrace/interleave/mutate';
import { expect, test } from 'vitest';

const directory = fileURLToPath(new URL('./fixtures/channel', import.meta.url));

interface ChannelModule {
  readonly Channel: new (words: Int32Array) => object;
}

const spec: AnySpec = fifo({ capacity: 2 });
const scenario = ({ Channel }: ChannelModule, pushes: number, takes: number): GateScenario => ({
  name: `${pushes} x ${takes}`,
  deep: pushes > 4,
  run: () =>
    check({
      setup: () => new Int32Array(new SharedArrayBuffer(28)),
      threads: [
        {
          attach: (words: Int32Array) => new Channel(words),
          ops: Array.from({ length: pushes }, (_, index): Operation => ['push', index + 1]),
        },
        {
          attach: (words: Int32Array) => new Channel(words),
          ops: Array.from({ length: takes }, (): Operation => ['take']),
        },
      ].slice(0, takes === 0 ? 1 : 2),
      spec,
      bounds: { opSteps: 60 },
    }),
});

const gate = (shapes: readonly (readonly [pushes: number, takes: number])[]) =>
  defineGate<ChannelModule>({
    name: 'channel',
    directory,
    files: ['channel.ts'],
    entry: 'channel.ts',
    scenarios: (module) => shapes.map(([pushes, takes]) => scenario(module, pushes, takes)),
  });

test('every mutant is killed or explained', async () => {
  const result = await mutationTest(
    gate([
      [3, 2],
      [4, 2],
      [1, 1],
    ]),
  );
  expect(result.passed, String(result)).toBe(true);
  expect(result.count('killed')).toBeGreaterThan(20);
  expect(result.count('equivalent')).toBeGreaterThan(0);
  for (const { reason } of result.results) expect(reason).not.toBe('');
});

test('a scenario that never sleeps lets the notify go', async () => {
  const weak = {
    ...gate([[2, 0]]),
    operators: ['drop-notify'],
  } satisfies MutationGate<ChannelModule>;
  const result = await mutationTest(weak);
  expect(result.results.map(({ status }) => status)).toEqual(['survived']);
  expect(result.passed).toBe(false);
  expect(String(result)).toMatch(/survived: channel.ts:\d+ drop-notify/);
});

test('scenarios that fail by themselves are refused', async () => {
  await expect(mutationTest(gate([[1, 2]]))).rejects.toThrow(/fail without a change: 1 x 2/);
});

test('a refused gate leaves nothing running', { timeout: 60_000 }, async () => {
  const program = fileURLToPath(new URL('./fixtures/refused/run.mjs', import.meta.url));
  const isBuilt = process.env['MILLRACE_DIST'] !== undefined;
  const conditions = isBuilt ? [] : ['--conditions=@millrace/source'];
  const { stdout } = await promisify(execFile)(process.execPath, [...conditions, program], {
    timeout: 50_000,
  });
  expect(stdout).toMatch(/fail without a change: wrong/);
});

test('what no scenario reaches is counted, and must be allowed', async () => {
  const weak = {
    ...gate([[2, 0]]),
    operators: ['plain-access'],
  } satisfies MutationGate<ChannelModule>;
  const result = await mutationTest(weak);
  expect(result.count('unreached')).toBeGreaterThan(0);
  expect(String(result)).toMatch(/unreached mutants: \d+, allowed 0/);
});

test('workers come to the same results, from the module of a gate', async () => {
  const url = new URL('./fixtures/channel/channel.gate.mjs', import.meta.url);
  const result = await runGate(url, { jobs: 2, deep: true });
  expect(result.passed, String(result)).toBe(true);
  expect(result.count('killed')).toBeGreaterThan(20);
  const [first] = result.results;
  const one = await runGate(url, { jobs: 1, only: `channel.ts:${first!.mutant.line}` });
  expect(one.results.length).toBeGreaterThan(0);
  expect(one.results.length).toBeLessThan(result.results.length);
});

test('a program that a mutant makes loop for ever is ended', async () => {
  const url = new URL('./fixtures/endless/endless.gate.mjs', import.meta.url);
  const result = await runGate(url, { jobs: 1, patienceMs: 2000 });
  expect(result.results.map(({ status }) => status)).toContain('killed');
  expect(result.results.some(({ reason }) => reason.includes('no end within'))).toBe(true);
});

test('an explained mutant that does not end is no lie', async () => {
  const url = new URL('./fixtures/explained/explained.gate.mjs', import.meta.url);
  const result = await runGate(url, { jobs: 1, patienceMs: 2000, deep: true });
  expect(result.passed, String(result)).toBe(true);
  expect(result.count('equivalent')).toBeGreaterThan(0);
});

test('reasons are read from comments', () => {
  const source = [
    'const f = (w: Int32Array) => {',
    '  // mutant-ok drop-notify, repeat-notify: nobody waits',
    '  // mutant-deep notify-one: takes two sleepers',
    '  Atomics.notify(w, 0);',
    '};',
  ].join('\n');
  expect(mutantsOf(source, ['drop-notify', 'notify-one'])).toMatchObject([
    { line: 4, before: 'Atomics.notify(w, 0)', equivalent: 'nobody waits' },
    { line: 4, deep: 'takes two sleepers' },
  ]);
});

test('each operator changes what it is about', () => {
  const source = `
    function f(w: Int32Array, tail: number, head: number) {
      const epoch = Atomics.load(w, tail);
      const seen = Atomics.load(w, head);
      if (seen > 3) return;
      if (seen === 1) w[seen & tail] = 7;
      if (Atomics.compareExchange(w, head, 0, 1) !== 0) throw new Error(String(w[epoch]!));
      Atomics.add(w, head, 1);
      Atomics.exchange(w, head, w[seen]!);
      Atomics.store(w, tail, 1);
      Atomics.notify(w, tail);
      Atomics.wait(w, tail, epoch);
    }`;
  const found = new Set(mutantsOf(source).map(({ operator }) => operator));
  expect([...found].sort()).toEqual([
    'atomic-access',
    'compare-exchange-to-store',
    'drop-notify',
    'drop-recheck',
    'drop-store',
    'drop-wait',
    'ignore-compare-exchange',
    'index-off-by-one',
    'late-load',
    'mask-off-by-one',
    'notify-elsewhere',
    'notify-one',
    'other-word',
    'plain-access',
    'repeat-notify',
    'skip-condition',
    'split-read-modify-write',
    'swap-statements',
    'wrong-word',
  ]);
});

test('argument checks are left alone', () => {
  const source = 'function f(size: number) { if (size > 4) throw new RangeError(String(size)); }';
  expect(mutantsOf(source)).toEqual([]);
});

test('a comment that explains nothing, or what is noticed, is reported', async () => {
  const folder = new URL('./fixtures/channel/', import.meta.url);
  const source = readFileSync(new URL('channel.ts', folder), 'utf8');
  const work = mkdtempSync(join(tmpdir(), 'interleave-test-'));
  try {
    const lies = source
      .replace('export class', '// mutant-ok drop-store: there is no store here\nexport class')
      .replace(
        'Atomics.notify(words, epoch); //',
        'Atomics.notify(words, epoch); // mutant-ok drop-notify: a lie\n //',
      );
    writeFileSync(join(work, 'channel.ts'), lies);
    const doubted = { ...gate([[3, 2]]), directory: work, operators: ['drop-notify'] } as const;
    const result = await mutationTest<ChannelModule>(doubted, { deep: true });
    expect(result.passed).toBe(false);
    expect(String(result)).toMatch(/stale: channel.ts:\d+ drop-notify/);
    expect(String(result)).toMatch(/unused comment: channel.ts:\d+ mutant-ok drop-store/);
  } finally {
    rmSync(work, { recursive: true });
  }
});
