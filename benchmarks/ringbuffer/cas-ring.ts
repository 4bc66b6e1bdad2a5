/**
 * The rival of lanes: one ring of variable-length records that producers claim by compare-and-swap, after
 * Agrona's ManyToOneRingBuffer. Not for use: a producer killed between claim and publication blocks it for ever.
 *
 * A record's header is negative while it is being written and its length + 1 once it is there; the consumer
 * zeroes what it has taken, so that no old header is ever mistaken for a new one.
 */
const TAIL = 0;
const HEAD = 32;
const CONTROL_BYTES = 256;
const SKIP = -1;

const sizeOf = (lengthBytes: number): number => (lengthBytes + 11) & -8;

export const createCasRing = (capacity: number): SharedArrayBuffer =>
  new SharedArrayBuffer(CONTROL_BYTES + capacity);

export class CasProducer {
  readonly control: Int32Array;
  readonly data: Int32Array;
  readonly capacity: number;
  headSeen = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.control = new Int32Array(buffer, 0, CONTROL_BYTES >> 2);
    this.data = new Int32Array(buffer, CONTROL_BYTES);
    this.capacity = buffer.byteLength - CONTROL_BYTES;
  }

  tryPush(words: Int32Array, lengthBytes: number): boolean {
    const { control, data, capacity } = this;
    const size = sizeOf(lengthBytes);
    let tail = Atomics.load(control, TAIL);
    let offset = 0;
    let total = 0;
    for (;;) {
      offset = tail & (capacity - 1);
      const room = (capacity - offset) | 0;
      total = size > room ? (size + room) | 0 : size;
      if (((capacity - (tail - this.headSeen)) | 0) < total) {
        this.headSeen = Atomics.load(control, HEAD);
        if (((capacity - (tail - this.headSeen)) | 0) < total) return false;
      }
      const seen = Atomics.compareExchange(control, TAIL, tail, (tail + total) | 0);
      if (seen === tail) break;
      tail = seen;
    }
    if (total !== size) {
      Atomics.store(data, offset >> 2, SKIP);
      offset = 0;
    }
    Atomics.store(data, offset >> 2, -size);
    const at = (offset >> 2) + 1;
    const count = lengthBytes >> 2;
    for (let i = 0; i < count; i++) data[at + i] = words[i]!;
    Atomics.store(data, offset >> 2, lengthBytes + 1);
    return true;
  }
}

export class CasConsumer {
  readonly control: Int32Array;
  readonly data: Int32Array;
  readonly capacity: number;
  head = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.control = new Int32Array(buffer, 0, CONTROL_BYTES >> 2);
    this.data = new Int32Array(buffer, CONTROL_BYTES);
    this.capacity = buffer.byteLength - CONTROL_BYTES;
  }

  drain(callback: (data: Int32Array, at: number) => void, limit: number): number {
    const { data, capacity } = this;
    let { head } = this;
    let count = 0;
    while (count < limit) {
      const offset = head & (capacity - 1);
      const header = Atomics.load(data, offset >> 2);
      if (header === SKIP) {
        data[offset >> 2] = 0;
        head = (head + capacity - offset) | 0;
        continue;
      }
      if (header <= 0) break;
      callback(data, (offset >> 2) + 1);
      const words = sizeOf(header - 1) >> 2;
      for (let i = 0; i < words; i++) data[(offset >> 2) + i] = 0;
      head = (head + (words << 2)) | 0;
      count++;
    }
    if (head !== this.head) {
      this.head = head;
      Atomics.store(this.control, HEAD, head);
    }
    return count;
  }
}
