/**
 * Loops in wasm over a ring of ours: what a producer and a consumer written in a compiled language reach when
 * the ring lies in their shared memory. Compiled by AssemblyScript when first used.
 */
import asc from 'assemblyscript/asc';

/** Offsets as in packages/ringbuffer/src/layout.ts: tail 128, head 256, data 1024; record header: the length. */
const SOURCE = `
const TAIL: usize = 128, HEAD: usize = 256, DATA: usize = 1024;

// Pushes records of \`length\` bytes from \`source\`, numbered from \`first\`; publishes per \`batch\` bytes.
export function produce(ring: usize, capacity: i32, source: usize, length: i32, first: i32, count: i32, batch: i32): void {
  let tail = atomic.load<i32>(ring + TAIL), published = tail, head = atomic.load<i32>(ring + HEAD);
  const size = (length + 7) & -4, data = ring + DATA;
  for (let i = 0; i < count; i++) {
    let offset = tail & (capacity - 1);
    const room = capacity - offset;
    const total = size > room ? size + room : size;
    while (capacity - (tail - head) < total) {
      if (published != tail) { atomic.store<i32>(ring + TAIL, tail); published = tail; }
      head = atomic.load<i32>(ring + HEAD);
    }
    if (total != size) { store<i32>(data + offset, -1); tail += room; offset = 0; }
    const at = data + offset;
    store<i32>(at, length);
    let k = 0;
    for (; k + 16 <= length; k += 16) v128.store(at + 4 + k, v128.load(source + k));
    for (; k < length; k += 8) store<i64>(at + 4 + k, load<i64>(source + k));
    store<i32>(at + 4, first + i);
    tail += size;
    if (tail - published > batch) { atomic.store<i32>(ring + TAIL, tail); published = tail; }
  }
  atomic.store<i32>(ring + TAIL, tail);
}

// Takes \`count\` records in place and returns the sum of their first words.
export function consume(ring: usize, capacity: i32, count: i32, batch: i32): f64 {
  let head = atomic.load<i32>(ring + HEAD), released = head, tail = atomic.load<i32>(ring + TAIL);
  const data = ring + DATA;
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) {
    while (head == tail) {
      if (released != head) { atomic.store<i32>(ring + HEAD, head); released = head; }
      tail = atomic.load<i32>(ring + TAIL);
    }
    let offset = head & (capacity - 1);
    let length = load<i32>(data + offset);
    if (length == -1) { head += capacity - offset; offset = 0; length = load<i32>(data); }
    sum += <f64>load<i32>(data + offset + 4);
    head += (length + 7) & -4;
    if (head - released > batch) { atomic.store<i32>(ring + HEAD, head); released = head; }
  }
  atomic.store<i32>(ring + HEAD, head);
  return sum;
}
`;

export interface WasmRing {
  produce(
    ring: number,
    capacity: number,
    source: number,
    length: number,
    first: number,
    count: number,
    batch: number,
  ): void;
  consume(ring: number, capacity: number, count: number, batch: number): number;
}

export const PAGES = 32;

export async function compileRing(): Promise<WebAssembly.Module> {
  const { error, binary, stderr } = await asc.compileString(SOURCE, {
    optimizeLevel: 3,
    runtime: 'stub',
    noAssert: true,
    enable: ['threads', 'bulk-memory', 'simd'],
    importMemory: true,
    sharedMemory: true,
    initialMemory: PAGES,
    maximumMemory: PAGES,
  });
  if (error !== null || binary === null) throw new Error(`asc: ${stderr.toString()}`);
  return new WebAssembly.Module(binary as BufferSource);
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): WasmRing {
  const imports = { env: { memory, abort: () => {} } };
  return new WebAssembly.Instance(module, imports).exports as unknown as WasmRing;
}
