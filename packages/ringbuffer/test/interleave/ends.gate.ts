/** Breaks how an end of a ring ends, one change at a time: scenarios without a ring around it must notice. */
import assert from 'node:assert/strict';
import { type CheckResult, check } from '@millrace/interleave';
import { defineGate, type GateScenario, type MutationGate } from '@millrace/interleave/mutate';
import { operators } from './operators.ts';

type Module = typeof import('../../src/ends.ts');

/** The end's first word; those beside it stay as they are. */
const END = 2;
const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(80));

/** How the words say it ended, in the model's memory, where no text can be decoded: the bytes of the reason. */
function shownIn(memory: Int32Array): string {
  const [state = 0, length = 0] = memory.subarray(END);
  const bytes = new Uint8Array(memory.buffer, (END + 2) * 4, length);
  return `${state} ${state === 4 ? '' : String.fromCharCode(...bytes)}`;
}

/** Reasons given, and what is left of them in 56 bytes. */
const reasons: readonly (readonly [given: string, kept: string])[] = [
  ['', ''],
  ['a', 'a'],
  ['abcd', 'abcd'],
  ['x'.repeat(56), 'x'.repeat(56)],
  ['x'.repeat(57), 'x'.repeat(56)],
  [`${'x'.repeat(55)}\u00e4`, 'x'.repeat(55)], // two bytes a letter
  [`${'x'.repeat(54)}\u00e4y`, `${'x'.repeat(54)}\u00e4`],
  [`${'x'.repeat(55)}\u{1f600}`, 'x'.repeat(55)],
  ['\u00e4\u20ac\u{1f600}', '\u00e4\u20ac\u{1f600}'],
  ['b', 'b'], // shorter than what lies there
  ['', ''],
];

/** As in an audio worklet, where no text coders are: ASCII arrives. */
function endWithoutCoders({ endOnce, readEnd }: Module): void {
  const { TextEncoder, TextDecoder } = globalThis;
  const memory = words();
  Object.assign(globalThis, { TextEncoder: undefined, TextDecoder: undefined });
  try {
    assert.equal(endOnce(memory, END, 'closed', 'a ~\x7f\x80\u00e4.'), true);
    assert.deepEqual(readEnd(memory, END), { how: 'closed', reason: 'a ~\x7f??.' });
  } finally {
    Object.assign(globalThis, { TextEncoder, TextDecoder });
  }
}

/** One thread, not model checked. */
function endOneByOne({ endOnce, readEnd }: Module): void {
  const memory = words().fill(-1);
  for (const how of ['closed', 'dead'] as const) {
    for (const [given, kept] of reasons) {
      memory[END] = 0; // as when a lane is opened again
      assert.equal(readEnd(memory, END), undefined);
      assert.equal(endOnce(memory, END, how, given), true);
      assert.deepEqual(readEnd(memory, END), { how, reason: kept });
      assert.equal(endOnce(memory, END, 'dead', 'later'), false);
      assert.deepEqual(readEnd(memory, END), { how, reason: kept });
      const beside = [...memory.subarray(0, END), ...memory.subarray(END + 16)];
      assert.deepEqual(beside, [-1, -1, -1, -1]);
    }
  }
  // Who died while it wrote a reason has left one that isn't to be read, and a damaged length damages no more.
  endOnce(memory.fill(0), END, 'closed', 'half');
  memory[END] = 4;
  assert.deepEqual(readEnd(memory, END), { how: 'dead', reason: '' });
  memory[END] = 3;
  memory[END + 1] = -5;
  assert.deepEqual(readEnd(memory, END), { how: 'dead', reason: '' });
  memory[END + 1] = 1000;
  assert.equal(readEnd(memory, END)?.reason.length, 56);
}

const scenariosOf = (module: Module): GateScenario[] => {
  const { endOnce, hasEnded, readEnd } = module;
  const both = (
    name: string,
    second: 'closed' | 'dead',
    crash: boolean,
    allowed: readonly string[],
  ): GateScenario => ({
    name,
    run: (): CheckResult =>
      check({
        name,
        setup: words,
        threads: [
          { crash, run: (memory) => endOnce(memory, END, 'closed', 'ab') },
          { run: (memory) => endOnce(memory, END, second, 'cde') },
        ],
        final(memory, results) {
          const shown = `${results.map((result) => String(result)).join()} ${shownIn(memory)}`;
          return allowed.includes(shown) || shown;
        },
        cover: crash ? ['crashed'] : [],
      }),
  });
  return [
    {
      name: 'one thread',
      run: () => {
        endOneByOne(module);
        endWithoutCoders(module);
        return check({ name: 'one thread', setup: words, threads: [{ run: () => true }] });
      },
    },
    both('closed and declared dead at once', 'dead', false, [
      'true,false 2 ab',
      'false,true 3 cde',
      'false,true 4 ',
    ]),
    both('closed twice at once', 'closed', false, ['true,false 2 ab', 'false,true 2 cde']),
    both('killed while it closes, and declared dead', 'dead', true, [
      'true,false 2 ab',
      'false,true 3 cde',
      'false,true 4 ',
      ',false 2 ab',
      ',true 3 cde',
      ',true 4 ',
    ]),
    {
      name: 'read while it ends',
      run: () =>
        check({
          name: 'read while it ends',
          setup: words,
          threads: [
            { run: (memory) => endOnce(memory, END, 'closed', '') },
            {
              run: (memory) => {
                const first = readEnd(memory, END);
                const ended = hasEnded(memory, END);
                return `${first?.how} ${ended}`;
              },
            },
          ],
          final: (_memory, [, saw]) =>
            ['undefined false', 'undefined true', 'closed true'].includes(String(saw)) || `${saw}`,
        }),
    },
  ];
};

export const gate: MutationGate<Module> = defineGate<Module>({
  name: "the ends' ends",
  directory: new URL('../../src/', import.meta.url),
  files: ['ends.ts'],
  operators,
  entry: 'ends.ts',
  scenarios: scenariosOf,
});
