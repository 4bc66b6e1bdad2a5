/**
 * How a parser is measured: a corpus in chunks of 64 KiB, each copied into one receive buffer as a socket's read
 * would, the copy included; passes for a fixed time after a warm-up; the best pass counts.
 */
import { ControlParser } from '@millrace/tmux-proto';
import { ControlParser as JsControlParser } from '@millrace/tmux-proto/js';
import { type Peer, readlineRegex } from './peers.ts';
import { Sink } from './sink.ts';

const CHUNK = 65536;
const receive = Buffer.allocUnsafeSlow(CHUNK);

/** Pushes a corpus once. */
function pass(parser: { push(chunk: Buffer): void }, bytes: Buffer, size: number = CHUNK): void {
  for (let at = 0; at < bytes.length; at += size) {
    const count = bytes.copy(receive, 0, at, Math.min(at + size, bytes.length));
    parser.push(count === CHUNK ? receive : receive.subarray(0, count));
  }
}

/** Returns the milliseconds of the best of many passes. */
function best(run: () => void, forMs: number): number {
  let least = Number.POSITIVE_INFINITY;
  const until = performance.now() + forMs;
  do {
    const from = performance.now();
    run();
    least = Math.min(least, performance.now() - from);
  } while (performance.now() < until);
  return least;
}

const parsers = new Map<unknown, { parser: { push(chunk: Buffer): void }; sink: Sink }>();
/** One parser of each kind for all rows, warm from its first sample. */
function warm(create: (sink: Sink) => { push(chunk: Buffer): void }, bytes: Buffer) {
  let entry = parsers.get(create);
  if (entry === undefined) {
    const sink = new Sink();
    entry = { parser: create(sink), sink };
    // As every stream begins: from here on the parser knows its line ends.
    entry.parser.push(Buffer.from('%begin 1 1 0\n%end 1 1 0\n'));
    parsers.set(create, entry);
  }
  const { parser } = entry;
  const until = performance.now() + 60;
  do pass(parser, bytes);
  while (performance.now() < until);
  return entry;
}

export const wasm = (sink: Sink): Peer =>
  new ControlParser(sink, { framing: 'lines', engine: 'wasm' });
export const js = (sink: Sink): Peer => new JsControlParser(sink, { framing: 'lines' });

/** Returns the milliseconds that a MB takes which a transport has written into the parser's memory; the copy isn't in it. */
export function parseMsPerMB(bytes: Buffer): number {
  const parser = new ControlParser(new Sink(), { framing: 'lines', engine: 'wasm' });
  let least = Number.POSITIVE_INFINITY;
  const until = performance.now() + 200;
  do {
    let parsing = 0;
    for (let at = 0; at < bytes.length; ) {
      const count = bytes.copy(parser.target(), 0, at, Math.min(at + 4 * CHUNK, bytes.length));
      at += count;
      const from = performance.now();
      parser.commit(count);
      parsing += performance.now() - from;
    }
    least = Math.min(least, parsing);
  } while (performance.now() < until);
  parser.end();
  return least / (bytes.length / 1e6);
}

/** Returns MB/s of the wire. */
export function speed(create: (sink: Sink) => Peer, bytes: Buffer): number {
  const { parser } = warm(create, bytes);
  return bytes.length / 1e3 / best(() => pass(parser, bytes), 120);
}

/** Returns ns for an event. */
export function eventTime(create: (sink: Sink) => Peer, bytes: Buffer): number {
  const { parser, sink } = warm(create, bytes);
  const before = sink.events;
  pass(parser, bytes);
  const events = sink.events - before;
  return (best(() => pass(parser, bytes), 200) * 1e6) / events;
}

/** Returns MB/s of readline over the same chunks. */
export async function readlineSpeed(bytes: Buffer): Promise<number> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.subarray(at, at + CHUNK));
  const sink = new Sink();
  let least = Number.POSITIVE_INFINITY;
  const until = performance.now() + 250;
  do {
    const from = performance.now();
    await readlineRegex(sink, chunks);
    least = Math.min(least, performance.now() - from);
  } while (performance.now() < until);
  return bytes.length / 1e3 / least;
}

/** Returns MB/s of copying the corpus into the receive buffer and nothing else. */
export function copySpeed(bytes: Buffer): number {
  const nothing = { push(): void {} };
  return bytes.length / 1e3 / best(() => pass(nothing, bytes), 60);
}

/** Returns the time in microseconds below which 99 % of reads of 4.8 KB are parsed. */
export function readTime99(create: (sink: Sink) => Peer, bytes: Buffer): number {
  const { parser } = warm(create, bytes);
  const size = 4800;
  const times = new Float64Array(Math.floor(bytes.length / size) * 6);
  let count = 0;
  while (count < times.length) {
    for (let at = 0; at + size <= bytes.length && count < times.length; at += size) {
      bytes.copy(receive, 0, at, at + size);
      const chunk = receive.subarray(0, size);
      const from = performance.now();
      parser.push(chunk);
      times[count++] = performance.now() - from;
    }
  }
  times.sort();
  return times[Math.floor(times.length * 0.99)]! * 1000;
}

/** Returns bytes allocated for each event, over fifty passes; the least of some. */
export function allocated(create: (sink: Sink) => Peer, bytes: Buffer): number {
  const { parser, sink } = warm(create, bytes);
  const part = bytes.subarray(0, bytes.lastIndexOf(10, 512 * 1024) + 1);
  const chunks: Buffer[] = [];
  for (let at = 0; at < part.length; at += CHUNK) chunks.push(part.subarray(at, at + CHUNK));
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.();
    const first = used();
    const own = used() - first; // what measuring itself allocates
    globalThis.gc?.();
    const before = used();
    const events = sink.events;
    for (let times = 0; times < 50; times++) {
      // By index: an iterator would allocate.
      for (let index = 0; index < chunks.length; index++) parser.push(chunks[index]!);
    }
    const grown = Math.max(0, used() - before - own);
    least = Math.min(least, grown / (sink.events - events));
  }
  return Math.round(least * 10) / 10; // below a tenth of a byte is the probe's own noise
}
