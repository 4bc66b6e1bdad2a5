/** Scenarios of slots: one producer, one consumer, records of one size. */
import { check, fifo } from '@millrace/interleave';
import {
  base,
  calls,
  type Definition,
  isEmpty,
  isFull,
  type Killed,
  options,
  repeat,
  thread,
} from './parts.ts';

const slots = (pushes: number, pops: number, deep = false, killed?: Killed): Definition => {
  const name =
    killed === undefined
      ? `SPSC slots, ${pushes} x ${pops}, 2 slots`
      : `slots, ${killed} killed at any point`;
  return {
    name,
    deep,
    run: (ring) =>
      check(
        base(name, {
          setup: () => ring.createSlotRing({ slotCount: 2, slotBytes: 4 }).handle,
          threads: [
            {
              ...thread(
                (handle) => ring.attachSlotProducer(handle, options()),
                repeat(pushes, 'tryPush'),
              ),
              crash: killed === 'producer',
            },
            {
              ...thread(
                (handle) => ring.attachSlotConsumer(handle, options()),
                repeat(pops, 'tryPop'),
              ),
              crash: killed === 'consumer',
            },
          ],
          spec: fifo({ capacity: 2, ...calls }),
          cover: killed === undefined ? { full: isFull, empty: isEmpty } : ['crashed'],
        }),
      ),
  };
};

/** The scenarios of slots. */
export const slotsDefinitions: readonly Definition[] = [
  slots(6, 8),
  slots(12, 15, true),
  slots(3, 4, false, 'producer'),
  slots(3, 4, false, 'consumer'),
];
