/** Receives and parses in the session's own thread: no ring, no copy between parser and pipe. */
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder } from '../measure/stations.ts';
import { Reader, type ReaderOptions } from '../parse/reader.ts';
import type { RecordTarget } from '../parse/records.ts';
import type { Transport } from '../receive/transport.ts';
import { type Source, type SourceCounts, standingOf } from './source.ts';

/** The inline mode's receive and parse stations. */
export class InlineSource implements Source {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #stations: StationRecorder;
  readonly #options: ReaderOptions;
  #reader: Reader | undefined;

  constructor(
    transport: Transport,
    clock: Clock,
    stations: StationRecorder,
    options: ReaderOptions,
  ) {
    this.#transport = transport;
    this.#clock = clock;
    this.#stations = stations;
    this.#options = options;
  }

  open(target: RecordTarget): void {
    this.#reader = new Reader(target, this.#clock, this.#stations.parse, this.#options);
    this.#transport.open(this.#reader);
  }

  write(bytes: Uint8Array | string): void {
    this.#transport.write(bytes);
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  close(deadlineMs: number): Promise<void> {
    return this.#transport.close(deadlineMs);
  }

  kill(): void {
    this.#transport.kill();
  }

  get standing(): string {
    return standingOf(this.#transport.pid, this.counts.bytes);
  }

  get ageMs(): number {
    return this.#reader?.ageMs ?? 0;
  }

  get counts(): SourceCounts {
    return { bytes: this.#reader?.bytes ?? 0, records: this.#reader?.records ?? 0 };
  }
}
