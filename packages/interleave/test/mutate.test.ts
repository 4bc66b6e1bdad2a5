/**
 * Goal: mutation testing finds what scenarios don't notice. Method: a small channel whose scenarios kill every
 * mutant but those that its comments explain; with weaker scenarios some survive.
 */
import { fileURLToPath } from 'node:url';
import { type AnySpec, fifo, type Operation, type Scenario } from '@millrace/interleave';
import { mutantsOf, mutationTest } from '@millrace/interleave/mutate';
import { expect, test } from 'vitest';

const directory = fileURLToPath(new URL('./fixtures/channel', import.meta.url));

interface ChannelModule {
  readonly Channel: new (words: Int32Array) => object;
}

const spec: AnySpec = fifo({ capacity: 2 });
const scenario = ({ Channel }: ChannelModule, pushes: number, takes: number): Scenario<never> => ({
  setup: () => new Int32Array(new SharedArrayBuffer(28)) as never,
  threads: [
    {
      attach: (words: Int32Array) => new Channel(words),
      ops: Array.from({ length: pushes }, (_, index): Operation => ['push', index + 1]),
    },
    {
      attach: (words: Int32Array) => new Channel(words),
      ops: Array.from({ length: takes }, (): Operation => ['take']),
    },
  ],
  spec,
  bounds: { opSteps: 60 },
});

test('every mutant is killed or explained', async () => {
  const results = await mutationTest<ChannelModule>({
    directory,
    files: ['channel.ts'],
    entry: 'channel.ts',
    scenarios: (module) => [scenario(module, 3, 2), scenario(module, 4, 2), scenario(module, 1, 1)],
  });
  const survivors = results.filter(({ status }) => status === 'survived');
  expect(
    survivors.map(({ mutant }) => `${mutant.line} ${mutant.operator}: ${mutant.after}`),
  ).toEqual([]);
  const killed = results.filter(({ status }) => status === 'killed');
  expect(killed.length).toBeGreaterThan(20);
  expect(killed.every(({ reason }) => reason !== '')).toBe(true);
});

test('a scenario that never sleeps lets the notify go', async () => {
  const results = await mutationTest<ChannelModule>({
    directory,
    files: ['channel.ts'],
    entry: 'channel.ts',
    operators: ['drop-notify'],
    scenarios: (module) => [
      { ...scenario(module, 2, 1), threads: scenario(module, 2, 1).threads.slice(0, 1) },
    ],
  });
  expect(results.map(({ status }) => status)).toEqual(['survived']);
});

test('scenarios that fail by themselves are refused', async () => {
  const run = mutationTest<ChannelModule>({
    directory,
    files: ['channel.ts'],
    entry: 'channel.ts',
    scenarios: (module) => [scenario(module, 1, 2)],
  });
  await expect(run).rejects.toThrow(/fail without a change/);
});

test('reasons are read from comments', () => {
  const source =
    'const f = (w: Int32Array) => {\n  // mutant-ok drop-notify: nobody waits\n  Atomics.notify(w, 0);\n};';
  const dropped = mutantsOf(source, ['drop-notify']);
  expect(dropped).toMatchObject([
    { line: 3, before: 'Atomics.notify(w, 0)', equivalent: 'nobody waits' },
  ]);
});
