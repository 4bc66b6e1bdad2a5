/**
 * What JavaScript itself can do: the ring's memory operations in two plain loops, with nothing of ours in them.
 *
 * The same records at the same places, the same cached indices, publication and release in the same batches, and the
 * same lines of memory touched by the same two threads. Left out is what makes a queue of it: calls, checks of
 * arguments and of what the memory says, claims that can be aborted, a callback, counts, ends, and waking who sleeps.
 * So nobody's ring of records is faster here than these loops, and their time is the part of ours that can't go away:
 * JavaScript's only atomic accesses are sequentially consistent, and a store of that kind waits for all before it.
 */
import { createRing, type RingHandle } from '@millrace/ringbuffer';

/** As `layout.ts` of the package has them: words of the control block, and where the data begins. */
const TAIL = 32;
const HEAD = 64;
const DATA_AT = 1024;
const SKIP = -1;

export const bareRing = (capacity: number): RingHandle => createRing({ capacity }).handle;

/** Writes `total` records of `size` bytes: header and serial number only. */
export function bareProduce(
  { buffer }: RingHandle,
  capacity: number,
  batch: number,
  size: number,
  total: number,
): void {
  const words = new Int32Array(buffer, 0, DATA_AT >> 2);
  const data = new Int32Array(buffer, DATA_AT, capacity >> 2);
  const mask = capacity - 1;
  const record = (size + 7) & -4;
  let tail = 0;
  let published = 0;
  let head = 0;
  for (let i = 0; i < total; i++) {
    let offset = tail & mask;
    const room = (capacity - offset) | 0;
    const extent = record > room ? (record + room) | 0 : record;
    while (((capacity - (tail - head)) | 0) < extent) {
      if (published !== tail) {
        published = tail;
        Atomics.store(words, TAIL, tail);
      }
      head = Atomics.load(words, HEAD);
    }
    if (extent !== record) {
      data[offset >> 2] = SKIP;
      tail = (tail + room) | 0;
      offset = 0;
    }
    data[offset >> 2] = size;
    data[(offset + 4) >> 2] = i;
    tail = (tail + record) | 0;
    if (((tail - published) | 0) > batch) {
      published = tail;
      Atomics.store(words, TAIL, tail);
    }
  }
  Atomics.store(words, TAIL, tail);
}

/** Sums the serial numbers of `total` records. */
export function bareConsume(
  { buffer }: RingHandle,
  capacity: number,
  total: number,
  first: number,
  mark: (i: number) => number,
): number {
  const words = new Int32Array(buffer, 0, DATA_AT >> 2);
  const data = new Int32Array(buffer, DATA_AT, capacity >> 2);
  const mask = capacity - 1;
  const batch = capacity >> 3; // as a drain gives back
  let tail = 0;
  let head = 0;
  let released = 0;
  let sum = 0;
  let border = first;
  for (let i = 0; i < total; ) {
    while (head === tail) {
      if (released !== head) {
        released = head;
        Atomics.store(words, HEAD, head);
      }
      tail = Atomics.load(words, TAIL);
    }
    let offset = head & mask;
    let header = data[offset >> 2]!;
    if (header === SKIP) {
      head = (head + capacity - offset) | 0;
      offset = 0;
      header = data[0]!;
    }
    sum = (sum + data[(offset + 4) >> 2]!) | 0;
    head = (head + ((header + 7) & -4)) | 0;
    if (((head - released) | 0) > batch) {
      released = head;
      Atomics.store(words, HEAD, head);
    }
    if (++i === border) border = mark(i);
  }
  Atomics.store(words, HEAD, head);
  return sum;
}

interface Trip {
  send(): void;
  receive(): void;
}

/** Words in which the records of a trip lie, one after another: as many as the ring of that row has. */
const TRIP_WORDS = 1 << 16;

/** One end of a round trip: an index behind a record of its own, and the other's. */
export function bareTrip(out: RingHandle, back: RingHandle, size: number): Trip {
  const mine = new Int32Array(out.buffer);
  const other = new Int32Array(back.buffer);
  const record = new Int32Array(size >> 2).fill(7);
  const count = record.length;
  const end = (DATA_AT >> 2) + TRIP_WORDS - count;
  let sent = 0;
  let received = 0;
  let sentAt = DATA_AT >> 2;
  let receivedAt = DATA_AT >> 2;
  return {
    send() {
      for (let i = 0; i < count; i++) mine[sentAt + i] = record[i]!;
      Atomics.store(mine, TAIL, ++sent);
      sentAt = sentAt + count <= end ? sentAt + count : DATA_AT >> 2;
    },
    receive() {
      while (Atomics.load(other, TAIL) === received);
      received++;
      for (let i = 0; i < count; i++) record[i] = other[receivedAt + i]!;
      receivedAt = receivedAt + count <= end ? receivedAt + count : DATA_AT >> 2;
    },
  };
}

/**
 * As `bareTrip`, but no index travels: a record is published by the word in front of it, a number that comes once only, so
 * that nothing has to be cleared either. What a ring that publishes by headers can't beat.
 */
export function bareHeaderTrip(out: RingHandle, back: RingHandle, size: number): Trip {
  const mine = new Int32Array(out.buffer);
  const other = new Int32Array(back.buffer);
  const record = new Int32Array(size >> 2).fill(7);
  const count = record.length;
  const end = (DATA_AT >> 2) + TRIP_WORDS - count - 1;
  let sent = 0;
  let received = 0;
  let sentAt = DATA_AT >> 2;
  let receivedAt = DATA_AT >> 2;
  return {
    send() {
      for (let i = 0; i < count; i++) mine[sentAt + 1 + i] = record[i]!;
      Atomics.store(mine, sentAt, ++sent);
      sentAt = sentAt + count + 1 <= end ? sentAt + count + 1 : DATA_AT >> 2;
    },
    receive() {
      received++;
      while (Atomics.load(other, receivedAt) !== received);
      for (let i = 0; i < count; i++) record[i] = other[receivedAt + 1 + i]!;
      receivedAt = receivedAt + count + 1 <= end ? receivedAt + count + 1 : DATA_AT >> 2;
    },
  };
}
