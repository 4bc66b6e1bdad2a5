/** Breaks the work queue, one change at a time. */
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { alone, codeOf, same } from './alone.ts';
import { operators } from './operators.ts';
import type { Package } from './parts.ts';
import { queueDefinitions } from './queue-scenarios.ts';

/** Words of the control block and behind it, for damage. */
const [CAPACITY, SLOT_BYTES, TAIL, HEAD, STAMPS] = [3, 5, 32, 64, 256] as const;

const quiet = { copy: 'words', spin: 0, ref: false } as const;

/** Layouts, and where traffic begins. */
const layouts: readonly (readonly [slotCount: number, slotBytes: number, startIndex: number])[] = [
  [2, 4, 0],
  [2, 4, -2],
  [2, 4, 0x7ffffffe],
  [4, 12, 0],
  [4, 12, -2],
];

function againstAnArray(
  { attachQueue, createQueue }: Package,
  [slotCount, slotBytes, startIndex]: (typeof layouts)[number],
  buffer: SharedArrayBuffer,
): void {
  const { handle, capacity } = createQueue({ slotCount, slotBytes, startIndex, buffer });
  same(capacity, slotCount, 'capacity');
  const options = { ...quiet, copy: slotBytes === 4 ? 'words' : 'set' } as const;
  const queues = [attachQueue(handle, options), attachQueue(handle, options)];
  const model: { kind: number; bytes: number[] }[] = [];
  const target = new Uint8Array(slotBytes + 3);
  for (let step = 0; step < 5 * slotCount; step++) {
    const queue = queues[step & 1]!;
    // Fills up, is drained, and goes on in the middle.
    const pushes = step < 2 * slotCount + 2 ? step <= slotCount : step % 3 !== 2;
    if (pushes) {
      const kind = step & 1;
      const bytes = Array.from({ length: step % (slotBytes + 1) }, (_, i) => step + i);
      const pushed = queue.tryPush(Uint8Array.of(9, ...bytes), 1, 1 + bytes.length, kind);
      same(pushed, model.length < slotCount, `push ${step}`);
      if (pushed) model.push({ kind, bytes });
    } else {
      const expected = model.shift();
      let found: Uint8Array | undefined;
      if (step % 4 < 2) found = queue.tryPop();
      else {
        const length = queue.tryPopInto(target, 2);
        if (length >= 0) found = target.slice(2, 2 + length);
      }
      same(found, expected && Uint8Array.from(expected.bytes), `pop ${step}`);
      if (expected !== undefined) same(queue.kind, expected.kind, `kind ${step}`);
    }
    same([queue.count, queue.halfDone], [model.length, undefined], `count ${step}`);
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
  same(queue.tryPopInto(new Uint8Array(4)), -1, 'nothing to pop into');
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
  files: ['queue.ts', 'work-queue.ts', 'half-done.ts'],
  operators,
  entry: 'index.ts',
  scenarios: (ring) => [
    ...layouts.map((layout) =>
      alone(`a queue of ${layout} is bounded and in order`, (buffer) =>
        againstAnArray(ring, layout, buffer),
      ),
    ),
    alone('a queue ends', (buffer) => ends(ring, buffer)),
    alone('a queue says where it stands', (buffer) => halfDone(ring, buffer)),
    alone('a queue notices damage', (buffer) => damage(ring, buffer)),
    ...queueDefinitions.map((definition) => ({ ...definition, run: () => definition.run(ring) })),
  ],
});
