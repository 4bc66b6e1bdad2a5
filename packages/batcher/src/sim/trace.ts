/** Recorded arrivals: your own traffic as a workload. */
import { BatcherArgumentError } from '../errors.ts';
import type { Workload } from './workload.ts';

/** One recorded arrival. */
export interface TraceArrival {
  /** Time of the arrival (ms, any origin). */
  readonly atMs: number;
  /** Bytes. @defaultValue 8 */
  readonly bytes?: number;
  /** Key. */
  readonly key?: number;
}

/** Makes a workload of recorded arrivals; they may come in any order. */
export function traceWorkload(name: string, arrivals: Iterable<TraceArrival>): Workload {
  const sorted = [...arrivals];
  for (const { atMs, bytes } of sorted) {
    if (!Number.isFinite(atMs)) {
      throw new BatcherArgumentError(`atMs must be a finite number: atMs=${String(atMs)}`);
    }
    if (bytes !== undefined && !(bytes >= 0 && Number.isFinite(bytes))) {
      throw new BatcherArgumentError(`bytes must be 0 or more: bytes=${String(bytes)}`);
    }
  }
  sorted.sort((a, b) => a.atMs - b.atMs);
  const origin = sorted[0]?.atMs ?? 0;
  const times = Float64Array.from(sorted, ({ atMs }) => (atMs - origin) * 1000);
  return {
    name,
    times,
    bytes: Float64Array.from(sorted, ({ bytes }) => bytes ?? 8),
    keys: Int32Array.from(sorted, ({ key }) => key ?? 0),
    horizon: times[times.length - 1] ?? 0,
  };
}

/**
 * Makes a workload of text: one arrival a line, `time in ms`, then optionally bytes and key, separated by spaces, tabs
 * or commas. Lines that are empty or start with # are skipped.
 *
 * @throws {BatcherArgumentError} If a line isn't that; the message has its number.
 */
export function parseTrace(name: string, text: string): Workload {
  const arrivals: TraceArrival[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const fields = trimmed.split(/[\s,]+/).map(Number);
    const [atMs, bytes, key] = fields;
    if (
      atMs === undefined ||
      fields.length > 3 ||
      fields.some((field) => !Number.isFinite(field))
    ) {
      throw new BatcherArgumentError(
        `line ${number} isn't "ms [bytes [key]]": ${trimmed.slice(0, 80)}`,
      );
    }
    arrivals.push({
      atMs,
      ...(bytes === undefined ? {} : { bytes }),
      ...(key === undefined ? {} : { key }),
    });
  }
  return traceWorkload(name, arrivals);
}

/** Records arrivals of a running program: call `arrived` where you push. Keeps at most `capacity` of them. */
export class TraceRecorder {
  readonly #times: Float64Array;
  readonly #bytes: Float64Array;
  readonly #keys: Int32Array;
  #count = 0;

  constructor(capacity: number = 1 << 20) {
    if (!(Number.isInteger(capacity) && capacity > 0)) {
      throw new BatcherArgumentError(
        `capacity must be a whole number above 0: capacity=${capacity}`,
      );
    }
    this.#times = new Float64Array(capacity);
    this.#bytes = new Float64Array(capacity);
    this.#keys = new Int32Array(capacity);
  }

  /** Arrivals recorded so far. */
  get count(): number {
    return this.#count;
  }

  /** Notes an arrival; returns false when the recorder is full. Cost: O(1), no allocation. */
  arrived(atMs: number, bytes = 8, key = 0): boolean {
    if (this.#count === this.#times.length) return false;
    const i = this.#count++;
    this.#times[i] = atMs;
    this.#bytes[i] = bytes;
    this.#keys[i] = key;
    return true;
  }

  /** Returns what was recorded as a workload. */
  workload(name: string): Workload {
    return traceWorkload(
      name,
      Array.from({ length: this.#count }, (_, i) => ({
        atMs: this.#times[i]!,
        bytes: this.#bytes[i]!,
        key: this.#keys[i]!,
      })),
    );
  }

  /** Returns what was recorded as text that `parseTrace` reads. */
  toString(): string {
    const lines = Array.from(
      { length: this.#count },
      (_, i) => `${this.#times[i]!.toFixed(4)} ${this.#bytes[i]} ${this.#keys[i]}`,
    );
    return `# ms bytes key\n${lines.join('\n')}\n`;
  }
}
