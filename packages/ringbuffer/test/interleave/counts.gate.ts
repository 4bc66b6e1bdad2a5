/** Breaks the counters in shared memory, one change at a time. */
import { check } from '@millrace/interleave';
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { operators } from './operators.ts';

type Module = typeof import('../../src/counts.ts');

/** Around 2^32 and 2^33 the upper half changes, between the second and the third it doesn't. */
const counted = [2 ** 32 - 1, 2 ** 32 + 7, 2 ** 32 + 9, 2 ** 33 + 5];
/** What may be read: what was stored, or what was passed, in this order. */
const seen = [0, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 7, 2 ** 32 + 9, 2 ** 33, 2 ** 33 + 5];

const name = 'counts, read while they are stored by a thread that may be killed';

export const gate: MutationGate<Module> = defineGate<Module>({
  name: 'the counts',
  directory: new URL('../../src/', import.meta.url),
  files: ['counts.ts'],
  operators,
  entry: 'counts.ts',
  scenarios: ({ storeCount, loadCount }) => [
    {
      name,
      run: () =>
        check({
          name,
          setup: () => new Int32Array(new SharedArrayBuffer(20)),
          threads: [
            {
              crash: true,
              run(words) {
                for (const value of counted) storeCount(words, 1, value);
                return 'done';
              },
            },
            { run: (words) => [loadCount(words, 1), loadCount(words, 1)] },
          ],
          final(words, [did, read]) {
            const [first, second] = read![0] as [number, number];
            const isStored =
              did!.length === 0 ||
              (words.join() === '0,2,5,2,0' && loadCount(words, 1) === counted[3]);
            const isRead = seen.includes(first) && seen.indexOf(second) >= seen.indexOf(first);
            // Whoever takes over from a killed thread counts on, wherever that stopped.
            const goesOn = counted.every((value) => {
              const copy = words.slice();
              storeCount(copy, 1, value);
              return loadCount(copy, 1) === value;
            });
            return (
              (isStored && isRead && goesOn) || `read ${first}, then ${second}, words ${words}`
            );
          },
          cover: ['crashed'],
        }),
    },
  ],
});
