/**
 * Types numbered keys, open-loop, and measures how long each takes to be seen again.
 *
 * A picture of the screen shows a key as well as the stream does. The next key is typed at its time, whether or not
 * the last has come back; one that never does counts with its age at the end.
 */
import { setTimeout as setTimer } from 'node:timers/promises';
import { Histogram } from '@millrace/histogram';
import { keyLength, keyPattern, keyText } from './key-text.ts';
import type { OutsideTyping } from './outside-typist.ts';

const hourNs = 3_600_000_000_000;

/** Nanoseconds, monotonic within the thread. */
const threadClock = (): number => performance.now() * 1e6;

/** Types, and looks for what it typed. */
export class Typist {
  /** From key to echo (ns). */
  readonly latency: Histogram = new Histogram({ highest: hourNs, digits: 2 });
  readonly #sent = new Map<number, number>();
  readonly #unmeasured: number;
  readonly #now: () => number;
  #carry = '';
  #next = 0;
  #seen = 0;
  #lastNs = 0;
  #timer: NodeJS.Timeout | undefined;
  #outside: { readonly count: Int32Array; readonly sentAt: Float64Array } | undefined;

  /**
   * @param unmeasured - the first so many keys are typed and not measured
   * @param now - a clock in nanoseconds
   */
  constructor(unmeasured: number = 0, now: () => number = threadClock) {
    this.#unmeasured = unmeasured;
    this.#now = now;
  }

  /** Measured keys typed so far. */
  get sent(): number {
    this.#learn();
    return Math.max(0, this.#next - this.#unmeasured);
  }

  /** Those that have come back. */
  get seen(): number {
    return this.#seen;
  }

  /** Keys that haven't come back, the unmeasured ones too. */
  get missing(): number {
    this.#learn();
    return this.#sent.size;
  }

  /** The last echo's latency (ns); 0 before the first. */
  get lastNs(): number {
    return this.#lastNs;
  }

  /** Age of the oldest key that hasn't come back (ns); 0 if there is none. */
  get oldestNs(): number {
    this.#learn();
    for (const sentAt of this.#sent.values()) return this.#now() - sentAt;
    return 0;
  }

  /** Types a key every `intervalMs` until `stop`, or until `keys` measured ones are typed. */
  start(type: (text: string) => void, intervalMs: number, keys: number = Infinity): void {
    const first = performance.now();
    let due = 0;
    const turn = (): void => {
      // After a turn that came late, the keys whose time has passed are typed together.
      while (performance.now() - first >= due * intervalMs && this.sent < keys) {
        due++;
        this.#type(type);
      }
      if (this.sent >= keys) return;
      const waitMs = first + due * intervalMs - performance.now();
      this.#timer = setTimeout(turn, Math.max(0, waitMs));
    };
    this.#timer = setTimeout(turn, 0);
  }

  #type(type: (text: string) => void): void {
    const key = this.#next++;
    this.#sent.set(key, this.#now());
    type(keyText(key));
  }

  /** Types so many of the unmeasured keys, the next one when the last has come back. */
  async warmUp(type: (text: string) => void, keys: number): Promise<void> {
    for (let key = 0; key < keys; key++) {
      this.#type(type);
      for (let looks = 0; this.#sent.size > 0 && looks < 1000; looks++) await setTimer(1);
    }
  }

  /** Types nothing, but looks for what another thread types, by the same clock. */
  follow({ count, sentAt }: OutsideTyping): void {
    this.#outside = { count: new Int32Array(count), sentAt: new Float64Array(sentAt) };
  }

  /** Learns what was typed elsewhere since the last look. */
  #learn(): void {
    if (this.#outside === undefined) return;
    const { count, sentAt } = this.#outside;
    for (const typed = Atomics.load(count, 0); this.#next < typed; this.#next++) {
      this.#sent.set(this.#next, sentAt[this.#next]!);
    }
  }

  /** Stops typing. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Takes what the viewer has got of the echoing pane. */
  see(bytes: Uint8Array): void {
    this.#learn();
    const text =
      this.#carry + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const now = this.#now();
    let end = 0;
    for (const match of text.matchAll(keyPattern)) {
      end = match.index + keyLength;
      const key = Number(match[1]);
      const sentAt = this.#sent.get(key);
      if (sentAt === undefined) continue;
      this.#sent.delete(key);
      if (key < this.#unmeasured) continue;
      this.#lastNs = now - sentAt;
      this.latency.record(this.#lastNs);
      this.#seen++;
    }
    this.#carry = text.slice(Math.max(end, text.length - keyLength + 1));
  }

  /** Takes all that has been typed by now: the most that a thread which looks now can have seen. */
  seeTyped(): void {
    this.#learn();
    const now = this.#now();
    for (const [key, sentAt] of this.#sent) {
      this.#sent.delete(key);
      if (key < this.#unmeasured) continue;
      this.#lastNs = now - sentAt;
      this.latency.record(this.#lastNs);
      this.#seen++;
    }
  }

  /** Counts the measured keys that are still on their way with the age that they have reached. */
  giveUp(): void {
    this.#learn();
    const now = this.#now();
    for (const [key, sentAt] of this.#sent) {
      if (key >= this.#unmeasured) this.latency.record(now - sentAt);
    }
    this.#sent.clear();
  }
}
