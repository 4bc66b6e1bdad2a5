/** Breaks the work queue, one change at a time. */
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { alone, codeOf, same } from './alone.ts';
import { queueDefinitions } from './groups.ts';
import { operators } from './operators.ts';
import type { Package } from './parts.ts';

/** Words of the control block and behind it, for damage. */
const [CAPACITY, SLOT_BYTES, TAIL, HEAD, STAMPS] = [3, 5, 32, 64, 256] as const;

const quiet = { copy: 'words', spin: 0, ref: false } as const;

function againstAnArray({ attachQueue, createQueue }: Package, buffer: SharedArrayBuffer): void {
  for (const startIndex of [0, -2, 0x7ffffffe]) {
    for (const [slotCount, slotBytes] of [
      [2, 4],
      [4, 12],
    ] as const) {
      const { handle, capacity } = createQueue({ slotCount, slotBytes, startIndex, buffer });
      same(capacity, slotCount, 'capacity');
      const options = { ...quiet, copy: slotBytes === 4 ? 'words' : 'set' } as const;
      const queues = [attachQueue(handle, options), attachQueue(handle, options)];
      const model: number[][] = [];
      const target = new Uint8Array(slotBytes + 3);
      for (let step = 0; step < 6 * slotCount; step++) {
        const queue = queues[step & 1]!;
        // Fills up, is drained, and goes on in the middle.
        const pushes = step < 2 * slotCount ? step <= slotCount : step % 3 !== 2;
        if (pushes) {
          const bytes = [9, ...Array.from({ length: step % (slotBytes + 1) }, (_, i) => step + i)];
          const pushed = queue.tryPush(Uint8Array.from(bytes), 1, bytes.length, step & 1);
          same(pushed, model.length < slotCount, `push ${step}`);
          if (pushed) model.push([step & 1, ...bytes.slice(1)]);
        } else {
          const [kind, ...bytes] = model.shift() ?? [queue.kind];
          const [none, found] =
            step % 4 < 2
              ? [undefined, queue.tryPop()]
              : ((length) => [undefined, length < 0 ? undefined : target.slice(2, 2 + length)])(
                  queue.tryPopInto(target, 2),
                );
          const isEmpty = kind === undefined || (bytes.length === 0 && found === none);
          same(found, isEmpty ? none : Uint8Array.from(bytes), `pop ${step}`);
          same(queue.kind, kind, `kind ${step}`);
        }
        same(queue.count, model.length, `count ${step}`);
        same(queue.halfDone, undefined, `half done ${step}`);
      }
    }
  }
}

function ends({ attachQueue, createQueue }: Package, buffer: SharedArrayBuffer): void {
  const { handle } = createQueue({ slotCount: 2, slotBytes: 4, buffer });
  const [queue, other] = [attachQueue(handle, quiet), attachQueue(handle, quiet)];
  same(queue.end, undefined, 'open');
  same([queue.popSync({ timeoutMs: 0 }), queue.closed], [undefined, false], 'empty');
  queue.pushSync(Uint8Array.of(1));
  queue.pushSync(Uint8Array.of(2, 3, 4, 5));
  same(queue.pushSync(Uint8Array.of(6), { timeoutMs: 0 }), false, 'full');
  same(queue.popSync(), Uint8Array.of(1), 'first');
  other.close();
  queue.close();
  same(queue.closed, false, 'closed and not drained');
  same(
    codeOf(() => queue.tryPush(Uint8Array.of(7))),
    'ERR_RING_CLOSED',
    'push behind the end',
  );
  same(queue.popSync(), Uint8Array.of(2, 3, 4, 5), 'last');
  same([queue.popSync(), queue.closed], [undefined, true], 'drained');
  same(
    codeOf(() => attachQueue(handle, quiet).tryPush(Uint8Array.of(7))),
    'ERR_RING_CLOSED',
    'attached',
  );
}

function halfDone({ attachQueue, createQueue }: Package, buffer: SharedArrayBuffer): void {
  for (const slot of [0, 1]) {
    for (const call of ['push', 'pop'] as const) {
      const { handle } = createQueue({ slotCount: 2, slotBytes: 4, startIndex: slot, buffer });
      const queue = attachQueue(handle, quiet);
      if (call === 'pop') for (const value of [1, 2]) queue.tryPush(Uint8Array.of(value));
      Atomics.add(new Int32Array(handle.buffer), call === 'push' ? TAIL : HEAD, 1); // reserved
      same(queue.halfDone, { call, slot }, `half done ${call}`);
      const found = call === 'push' ? queue.tryPop() : queue.tryPush(Uint8Array.of(3));
      same(found, call === 'push' ? undefined : false, `behind a half done ${call}`);
    }
  }
}

function damage({ attachQueue, createQueue }: Package, buffer: SharedArrayBuffer): void {
  const { handle } = createQueue({ slotCount: 2, slotBytes: 4, buffer });
  const words = new Int32Array(handle.buffer);
  const queue = attachQueue(handle, quiet);
  const slots = STAMPS + 32;
  for (const [length, code] of [
    [0, undefined],
    [4, undefined],
    [5, 'ERR_RING_CORRUPT'],
    [-1, 'ERR_RING_CORRUPT'],
  ] as const) {
    const at = slots + (words[HEAD]! & 1) * 3;
    queue.tryPush(Uint8Array.of(1));
    words[at] = length;
    same(
      codeOf(() => queue.tryPop()),
      code,
      `length ${length}`,
    );
  }
  for (const [word, value] of [
    [CAPACITY, 1],
    [CAPACITY, 3],
    [SLOT_BYTES, 0],
  ] as const) {
    const before = words[word]!;
    words[word] = value;
    same(
      codeOf(() => attachQueue(handle, quiet)),
      'ERR_RING_FORMAT',
      `word ${word}`,
    );
    words[word] = before;
  }
}

export const gate: MutationGate<Package> = defineGate<Package>({
  name: 'the work queue',
  directory: new URL('../../src/', import.meta.url),
  files: ['queue.ts'],
  operators,
  entry: 'index.ts',
  scenarios: (ring) => [
    alone('a queue is a bounded queue', (buffer) => againstAnArray(ring, buffer)),
    alone('a queue ends', (buffer) => ends(ring, buffer)),
    alone('a queue says where it stands', (buffer) => halfDone(ring, buffer)),
    alone('a queue notices damage', (buffer) => damage(ring, buffer)),
    ...queueDefinitions.map((definition) => ({ ...definition, run: () => definition.run(ring) })),
  ],
});
