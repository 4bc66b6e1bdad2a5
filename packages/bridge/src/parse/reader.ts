/**
 * The receive and parse stations: bytes of a transport in, records and events out.
 *
 * Output passes without a copy or an allocation: the parser's borrowed range goes on to the target. Replies
 * are gathered up to a limit, because whoever sent the command wants all of it; where nobody can have sent one they end
 * here.
 *
 * R1: records and events leave in the order of the stream.
 * R2: `readEnd` follows whatever came at once, also what the parser found nothing in.
 * R3: after `ended` nothing more leaves.
 */
import { type ControlHandler, ControlParser, type Guard } from '@millrace/tmux-proto';
import type { BridgeError } from '../errors.ts';
import { AgeWatch } from '../flow/ages.ts';
import type { Clock } from '../measure/clock.ts';
import type { LatencyRecorder } from '../measure/stations.ts';
import type { Receiver, TransportExit } from '../receive/transport.ts';
import type { RecordTarget } from './records.ts';

const strayBytesMax = 512;
const nothing = new Uint8Array(0);

/** Limits of the parse station. */
export interface ReaderOptions {
  /** Largest reply that is kept (bytes); the rest of a larger one is dropped and the reply says so. */
  readonly replyBytesMax: number;
  /** Whether replies are handed over: nobody waits for those of a recording. */
  readonly replies: boolean;
}

/** Parses what a transport receives. */
export class Reader implements Receiver {
  readonly #parser: ControlParser;
  readonly #target: RecordTarget;
  readonly #clock: Clock;
  readonly #parsing: LatencyRecorder;
  readonly #replyBytesMax: number;
  #readAt = 0;
  #ended = false;
  #body: Uint8Array = nothing;
  #bodyLength = 0;
  #bodyTruncated = false;
  /** Bytes received and records of output found. */
  bytes = 0;
  records = 0;
  /** How old the last record was when tmux sent it (ms). */
  ageMs = 0;

  constructor(
    target: RecordTarget,
    clock: Clock,
    parsing: LatencyRecorder,
    options: ReaderOptions,
  ) {
    this.#target = target;
    this.#clock = clock;
    this.#parsing = parsing;
    this.#replyBytesMax = options.replyBytesMax;
    const output = (pane: number, bytes: Uint8Array, start: number, end: number): void => {
      const parsedAt = this.#clock.now();
      this.records++;
      this.#parsing.record(parsedAt - this.#readAt);
      this.#target.output(pane, bytes, start, end, this.#readAt, parsedAt);
    };
    const ages = new AgeWatch((pane, ageMs) => this.#target.event({ type: 'age', pane, ageMs }));
    this.#parser = new ControlParser(
      {
        output,
        extendedOutput: (pane, ageMs, bytes, start, end) => {
          this.ageMs = ageMs;
          ages.see(pane, ageMs);
          output(pane, bytes, start, end);
        },
        ...(options.replies ? this.#replyHandler() : {}),
        notification: (notification) => this.#target.event({ type: 'notification', notification }),
        exit: (reason) => this.#target.event({ type: 'exit', reason }),
        unknown: (bytes, start, end) => {
          const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
          this.#target.event({
            type: 'stray',
            text: text.subarray(0, strayBytesMax).toString('utf8'),
          });
        },
      },
      { framing: 'lines', limitPolicy: 'truncate', engine: 'adaptive' },
    );
  }

  received(chunk: Uint8Array, dueAt?: number): void {
    if (this.#ended) return;
    this.#readAt = dueAt ?? this.#clock.now();
    this.bytes += chunk.length;
    this.#parser.push(chunk);
  }

  readEnd(): void {
    if (!this.#ended) this.#target.readEnd(); // R2
  }

  recordingFailed({ message, cause }: BridgeError): void {
    this.#target.event({ type: 'recording-failed', message, cause: String(cause) });
  }

  ended(exit: TransportExit): void {
    if (this.#ended) return;
    this.#parser.end();
    this.#ended = true; // R3
    this.#target.event({ type: 'ended', exit });
    this.#target.readEnd();
  }

  #replyHandler(): ControlHandler {
    return {
      begin: () => {
        this.#bodyLength = 0;
        this.#bodyTruncated = false;
      },
      replyLine: (bytes, start, end) => this.#replyLine(bytes, start, end),
      end: (guard) => this.#reply(guard, true),
      error: (guard) => this.#reply(guard, false),
      abandon: (guard) => this.#reply(guard, false),
    };
  }

  #replyLine(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#bodyLength + end - start + 1;
    if (length > this.#replyBytesMax) {
      this.#bodyTruncated = true;
      return;
    }
    if (length > this.#body.length) {
      const grown = new Uint8Array(Math.max(1024, length * 2));
      grown.set(this.#body.subarray(0, this.#bodyLength));
      this.#body = grown;
    }
    this.#body.set(bytes.subarray(start, end), this.#bodyLength);
    this.#body[length - 1] = 0x0a;
    this.#bodyLength = length;
  }

  #reply(guard: Guard, ok: boolean): void {
    const body = this.#bodyLength === 0 ? nothing : this.#body.slice(0, this.#bodyLength);
    // A buffer that one huge reply made large isn't kept.
    if (this.#body.length > 1 << 20) this.#body = nothing;
    this.#target.event({
      type: 'reply',
      guard: guard.text,
      ok,
      body,
      truncated: this.#bodyTruncated || guard.truncated,
    });
  }
}
