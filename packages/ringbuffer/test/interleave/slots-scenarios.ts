/** Scenarios of slots: one producer, one consumer, records of one size. */
import { check, fifo } from '@millrace/interleave';
import {
  base,
  calls,
  type Definition,
  from,
  isEmpty,
  isFull,
  type Killed,
  options,
  repeat,
  thread,
} from './parts.ts';

interface SlotsOf {
  readonly deep?: boolean;
  readonly killed?: Killed;
  readonly startIndex?: number;
}

const slots = (
  pushes: number,
  pops: number,
  { deep = false, killed, startIndex = 0 }: SlotsOf = {},
): Definition => {
  const name =
    killed === undefined
      ? `SPSC slots, ${pushes} x ${pops}, 2 slots${from(startIndex)}`
      : `slots, ${killed} killed at any point`;
  return {
    name,
    deep,
    run: (ring) =>
      check(
        base(name, {
          setup: () => ring.createSlotRing({ slotCount: 2, slotBytes: 4, startIndex }).handle,
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
  slots(6, 8, { startIndex: -2 }),
  slots(6, 8, { startIndex: 0x7ffffffe }),
  slots(12, 15, { deep: true }),
  slots(3, 4, { killed: 'producer' }),
  slots(3, 4, { killed: 'consumer' }),
];
