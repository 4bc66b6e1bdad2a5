/**
 * A viewer: many panes on their way to one slow link, such as a socket or a browser.
 *
 * ```text
 *  pane ─▶ pipe ─▶ lane ┐                                     1. the focused pane's bursts
 *  pane ─▶ pipe ─▶ lane ┼─▶ who is next? ─▶ window ─▶ link    2. bursts of any pane, in the order they came
 *  pane ─▶ pipe ─▶ lane ┘                                     3. deficit round robin over what floods
 * ```
 *
 * After deficit round robin (Shreedhar and Varghese, 1995) with sparse flows first, as FQ-CoDel does (RFC 8290); what is
 * sparse is told by a leaky bucket per lane.
 *
 * V1: what floods is sent only while less than the window is on its way, bursts while less than one and a half.
 * V2: lanes that flood take turns; at each, a lane may send its share of the window.
 * V3: a lane that waits is served as soon as the window has room, whatever other viewers do: viewers share nothing.
 * V4: an acknowledgement that was lost doesn't stop the link: after `probeMs` without one, one small piece is sent, and
 *     its own acknowledgement, being cumulative, makes good for all before.
 * V5: what the viewer's pipes hold together is bounded by a budget (see `budget.ts`), as is what each of them holds;
 *     both follow the measured rate, so that what waits is worth at most `backlogMs`.
 *
 * One thread. Cost: serving a piece looks at each lane that has something to send.
 */
import type { Pipe } from '../deliver/pipe.ts';
import type { PipeLimit, PipeOptions } from '../deliver/pipe-options.ts';
import { BridgeError, checkArgument, checkInteger, checkMethods, checkObject } from '../errors.ts';
import type { Pane } from '../pane.ts';
import type { Sink } from '../sinks/sink.ts';
import { ByteBudget } from './budget.ts';
import { DrainWindow } from './drain-window.ts';
import { Lane, type LaneHost } from './lane.ts';

/** How a viewer is set up. */
export interface ViewerOptions {
  /**
   * How long a byte may wait in the link, on top of the link's own delay (ms, 1 to 10000): small keeps keystrokes fast,
   * large keeps a link with a changing delay full. @defaultValue 4
   */
  readonly latencyMs?: number;
  /** How much of a flood may wait for the link, as a time at the measured rate (ms, 1 to 10000). @defaultValue 30 */
  readonly backlogMs?: number;
  /** Most bytes that may wait for it and be under way, of all panes (4096 to 2^30). @defaultValue 1 MiB */
  readonly bytesMax?: number;
  /** Most bytes of one pane (4096 to `bytesMax`). @defaultValue half of `bytesMax` */
  readonly paneBytesMax?: number;
  /** Fewest bytes that are sent ahead, however slow the link (512 to `bytesMax`). @defaultValue 8192 */
  readonly windowBytesMin?: number;
  /** After how long without an acknowledgement one piece is sent on suspicion (ms, 10 to 600000). @defaultValue 1000 */
  readonly probeMs?: number;
  /** Returns the time (ms, monotonic). @defaultValue `performance.now` */
  readonly now?: () => number;
}

/** What a viewer does, as of now. */
export interface ViewerStats {
  /** Rate at which the link drains (bytes per second), 0 as long as it isn't known. */
  readonly bytesPerSecond: number;
  /** Delay of the link itself (ms). */
  readonly baseDelayMs: number;
  /** Bytes that may be on their way. */
  readonly windowBytes: number;
  /** Bytes on their way: handed to sinks, neither accepted nor, if they tell, drawn. */
  readonly inFlightBytes: number;
  /** Bytes that wait in this process for the link, those on their way to sinks that don't tell included. */
  readonly waitingBytes: number;
  /** Most that waited at any time, as of the ends of reads and deliveries. */
  readonly waitingBytesMax: number;
  /** Bytes that may wait, at the measured rate. */
  readonly backlogBytes: number;
  /** Bytes handed to sinks. */
  readonly bytes: number;
  /** Pieces that they left in. */
  readonly writes: number;
  /** Pieces sent on suspicion that an acknowledgement was lost. */
  readonly probes: number;
  /** Whether nobody looks. */
  readonly hidden: boolean;
}

/** A burst of this many bytes goes first, of the focused pane of four times as many. */
const burstBytes = 4096;
/** In this time a whole burst is forgiven (ms). */
const burstMs = 32;
const focusFactor = 4;
/** What may wait beside the window before the rate is known, and at least (bytes). */
const backlogBytesAtFirst = 49_152;
const backlogBytesMin = 16_384;
/** Of what may wait beside the window, what one pane may. */
const paneShare = 1 / 3;
const paneBacklogBytesMin = 8_192;
const probeBytes = 512;

/** A link to somebody who looks at panes; made by `createViewer`. */
export class Viewer {
  readonly #lanes = new Set<Lane>();
  readonly #window: DrainWindow;
  readonly #budget: ByteBudget;
  readonly #paneLimit: PipeLimit;
  readonly #host: LaneHost;
  readonly #now: () => number;
  readonly #backlogMs: number;
  readonly #bytesMax: number;
  readonly #paneBytesMax: number;
  readonly #probeMs: number;
  /** Lanes with something to send, in the order of their turns. */
  readonly #waiting: Lane[] = [];
  #focused: number | undefined;
  #hidden = false;
  #closed = false;
  #serving = false;
  #serveAgain = false;
  #probeTimer: ReturnType<typeof setTimeout> | undefined;
  #limitRate = 0;
  #limitWindow = 0;
  #bytes = 0;
  #writes = 0;
  #probes = 0;
  #waitingBytesMax = 0;

  /** @internal */
  constructor(options: ViewerOptions) {
    checkObject('options', options);
    const { bytesMax = 1 << 20 } = options;
    checkInteger('bytesMax', bytesMax, 4096, 2 ** 30);
    const {
      latencyMs = 4,
      backlogMs = 30,
      paneBytesMax = Math.max(4096, bytesMax >> 1),
      windowBytesMin = Math.min(8192, bytesMax),
      probeMs = 1000,
      now = () => performance.now(),
    } = options;
    checkNumber('latencyMs', latencyMs, 1, 10_000);
    checkNumber('backlogMs', backlogMs, 1, 10_000);
    checkInteger('paneBytesMax', paneBytesMax, 4096, bytesMax);
    checkInteger('windowBytesMin', windowBytesMin, 512, bytesMax);
    checkNumber('probeMs', probeMs, 10, 600_000);
    checkArgument(typeof now === 'function', 'now', 'a function', now);
    this.#now = now;
    this.#backlogMs = backlogMs;
    this.#bytesMax = bytesMax;
    this.#paneBytesMax = paneBytesMax;
    this.#probeMs = probeMs;
    this.#window = new DrainWindow({ delayMs: latencyMs, bytesMin: windowBytesMin, bytesMax });
    this.#budget = new ByteBudget(0);
    this.#paneLimit = {
      bytesHigh: 0,
      bytesLow: 0,
      bytesKept: () => (this.#window.isLooking(now()) ? this.#window.bytes : 0),
    };
    this.#limit();
    const viewer = this;
    this.#host = {
      window: this.#window,
      get hidden() {
        return viewer.#hidden;
      },
      now,
      serve: (lane) => this.#serve(lane),
      ended: (lane) => this.#laneEnded(lane),
    };
  }

  /** Whether nobody looks: `hide` was called, and `show` not yet. */
  get hidden(): boolean {
    return this.#hidden;
  }

  /** The pipes of the panes that it shows. */
  get pipes(): readonly Pipe[] {
    return [...this.#lanes].map((lane) => lane.pipe);
  }

  /** What it does, as of now. */
  get stats(): ViewerStats {
    const window = this.#window;
    return {
      bytesPerSecond: window.rate * 1000,
      baseDelayMs: window.baseMs,
      windowBytes: window.bytes,
      inFlightBytes: window.inFlight,
      waitingBytes: this.#budget.bytes,
      waitingBytesMax: Math.max(this.#waitingBytesMax, this.#budget.bytes),
      backlogBytes: this.#budget.bytesMax,
      bytes: this.#bytes,
      writes: this.#writes,
      probes: this.#probes,
      hidden: this.#hidden,
    };
  }

  /**
   * Shows a pane: sends its bytes to `sink`, which leads to this viewer's link.
   *
   * @param pane - the pane, of any session
   * @param sink - what writes to the link; it belongs to the pipe from now on
   * @param options - as for `pane.pipe`, but the limits are the viewer's, `policy` is `latest` and `inexactAfterMs` is 0
   *   unless given: a viewer holds nobody up
   * @throws {BridgeError} as `pane.pipe` does, and `ERR_SESSION_CLOSED` if the viewer is closed
   */
  pipe(pane: Pane, sink: Sink, options: Omit<PipeOptions, 'bytesHigh' | 'bytesLow'> = {}): Pipe {
    if (this.#closed) throw new BridgeError('ERR_SESSION_CLOSED', 'the viewer is closed');
    checkMethods('pane', pane, 'pipe');
    checkMethods('sink', sink, 'write');
    checkObject('options', options);
    const lane = new Lane(pane.id, sink, this.#host);
    const shared = {
      budget: this.#budget,
      limit: this.#paneLimit,
      bytesMax: this.#paneBytesMax,
      lane,
    };
    lane.pipe = pane.pipe(lane, { policy: 'latest', inexactAfterMs: 0, ...options, shared });
    this.#lanes.add(lane);
    if (this.#hidden) lane.pipe.hide();
    return lane.pipe;
  }

  /**
   * Says which pane has the keyboard: what it prints goes first, as long as it isn't a flood.
   *
   * @param pane - the pane or its number; nothing if none has
   */
  focus(pane?: Pane | number): void {
    const id = typeof pane === 'object' ? pane?.id : pane;
    checkArgument(
      id === undefined ? pane === undefined : Number.isInteger(id),
      'pane',
      'a pane, its number or undefined',
      pane,
    );
    this.#focused = id;
    this.#serve();
  }

  /**
   * Says that nobody looks (a hidden tab): nothing is sent and nothing waits, except to pipes that are `lossless`;
   * acknowledgements aren't waited for.
   */
  hide(): void {
    if (this.#hidden || this.#closed) return;
    this.#hidden = true;
    for (const lane of this.#lanes) lane.pipe.hide();
    for (const lane of this.#lanes) lane.forget();
    this.#serve();
  }

  /** Says that somebody looks again: each pane's screen is sent as it is, then what comes. */
  show(): void {
    if (!this.#hidden || this.#closed) return;
    this.#hidden = false;
    for (const lane of this.#lanes) lane.forget();
    for (const lane of this.#lanes) lane.pipe.show();
    this.#serve();
  }

  /**
   * Ends its pipes: writes what waits, then closes their sinks.
   *
   * @param options.timeoutMs - after which what still waits is given up (ms)
   * @returns resolves when all have ended
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closed = true;
    await Promise.all(this.pipes.map((pipe) => pipe.close(options)));
  }

  #laneEnded(lane: Lane): void {
    this.#lanes.delete(lane);
    this.#unlist(lane);
    this.#serve();
  }

  #unlist(lane: Lane): void {
    if (!lane.listed) return;
    lane.listed = false;
    this.#waiting.splice(this.#waiting.indexOf(lane), 1);
  }

  /** Sends what the window has room for. */
  #serve(lane?: Lane): void {
    if (lane !== undefined && !lane.listed) this.#list(lane);
    // A sink may acknowledge inside its write.
    this.#serveAgain = true;
    if (this.#serving) return;
    this.#serving = true;
    while (this.#serveAgain) {
      this.#serveAgain = false;
      while (this.#serveOne());
    }
    this.#serving = false;
    this.#limit();
    this.#watch();
  }

  /** Sends one piece; false if there is none to send or no room. */
  #serveOne(): boolean {
    const { bytes, inFlight } = this.#window;
    const waiting = this.#waiting;
    if (waiting.length === 0 || inFlight >= bytes + (bytes >> 1)) return false;
    const now = this.#now();
    const burst = this.#nextBurst(now);
    if (burst !== undefined) {
      this.#send(burst, burst.rest, now);
      return true;
    }
    const room = bytes - inFlight;
    if (room <= 0) return false;
    // V2: whoever is first in the list has its turn, until its share is sent.
    const lane = this.#waiting[0]!;
    const { rest } = lane;
    const length = Math.min(rest, room, lane.deficit);
    // A sliver costs as much as a piece.
    if (length < rest && length < Math.min(512, bytes >> 2) && inFlight > 0) return false;
    lane.deficit -= length;
    this.#send(lane, length, now);
    if (lane.listed && lane.deficit <= 0) {
      this.#unlist(lane);
      this.#list(lane);
    }
    return true;
  }

  /** Puts a lane in the list: first if it is still its turn, else last, with a new share. */
  #list(lane: Lane): void {
    lane.listed = true;
    const share = Math.max(1024, Math.floor(this.#window.bytes / this.#activeCount()));
    if (lane.deficit * 2 > share) {
      this.#waiting.unshift(lane);
      return;
    }
    lane.deficit += share; // a little that was left over would cost it a turn
    this.#waiting.push(lane);
  }

  /** Lanes that have something to send, or wait for their sink to accept it. */
  #activeCount(): number {
    let count = 0;
    for (const lane of this.#lanes) if (lane.active) count++;
    return Math.max(1, count);
  }

  /** Returns the lane whose burst goes first, if there is one. */
  #nextBurst(now: number): Lane | undefined {
    let first: Lane | undefined;
    for (const lane of this.#waiting) {
      const { rest } = lane;
      if (rest === 0) continue;
      const isFocused = lane.pane === this.#focused;
      const allowed = isFocused ? burstBytes * focusFactor : burstBytes;
      // Bursts alone must not fill the link.
      const rate = this.#window.rate;
      const leak = Math.min(allowed / burstMs, rate > 0 ? rate / (isFocused ? 2 : 8) : allowed);
      lane.level = Math.max(0, lane.level - (now - lane.levelAt) * leak);
      lane.levelAt = now;
      if (lane.level + rest > allowed) continue;
      if (isFocused) return lane;
      first ??= lane;
    }
    return first;
  }

  #send(lane: Lane, length: number, now: number): void {
    lane.level = Math.max(0, lane.level) + length;
    lane.levelAt = now;
    this.#bytes += length;
    if (length > 0) this.#writes++;
    lane.send(length);
    if (!lane.ready) this.#unlist(lane);
  }

  /** V5: what may wait is worth a time at the measured rate, beside what the window may take next. */
  #limit(): void {
    const { rate, bytes } = this.#window;
    if (this.#budget.bytes > this.#waitingBytesMax) this.#waitingBytesMax = this.#budget.bytes;
    if (rate === this.#limitRate && bytes === this.#limitWindow) return;
    this.#limitRate = rate;
    this.#limitWindow = bytes;
    const worth = rate === 0 ? backlogBytesAtFirst : rate * this.#backlogMs;
    const all = Math.min(this.#bytesMax, bytes + Math.max(backlogBytesMin, worth));
    const share = bytes + Math.max(paneBacklogBytesMin, worth * (rate === 0 ? 2 : 1) * paneShare);
    const one = Math.min(this.#paneBytesMax, share);
    this.#budget.bytesMax = Math.floor(all);
    this.#paneLimit.bytesHigh = Math.floor(one);
    this.#paneLimit.bytesLow = Math.floor(one / 4);
  }

  /** V4: arms the timer while lanes wait for acknowledgements. */
  #watch(): void {
    const blocked = this.#waiting.length > 0 && !this.#hidden;
    if (!blocked) {
      if (this.#probeTimer !== undefined) clearTimeout(this.#probeTimer);
      this.#probeTimer = undefined;
      return;
    }
    if (this.#probeTimer !== undefined) return;
    const since = this.#now();
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = undefined;
      if (this.#window.drainedAt <= since) this.#probe();
      this.#watch();
    }, this.#probeMs);
    (this.#probeTimer as { unref?(): void }).unref?.();
  }

  #probe(): void {
    const lane = this.#waiting.find((waiting) => waiting.tells);
    if (lane === undefined) return;
    this.#probes++;
    this.#send(lane, Math.min(lane.rest, probeBytes), this.#now());
    this.#serve();
  }
}

function checkNumber(name: string, value: number, minimum: number, maximum: number): void {
  const holds = typeof value === 'number' && value >= minimum && value <= maximum;
  checkArgument(holds, name, `from ${minimum} to ${maximum}`, value);
}

/**
 * Creates a viewer: whoever shows several panes over one link makes one, and pipes the panes through it.
 *
 * Keystrokes stay fast however much other panes print, because only so many bytes are ahead of them as the link drains
 * in `latencyMs`; what can't be shown in time is skipped, and the screen restored exactly (policy `latest`).
 *
 * @param options - latency and limits
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { BridgeError, connect, createViewer, nullSink } from '@millrace/bridge';
 *
 * const viewer = createViewer({ latencyMs: 8 });
 * try {
 *   await using session = await connect({
 *     socketName: `viewer-${process.pid}`,
 *     create: { command: 'printf hello; sleep 2' },
 *   });
 *   const pane = [...session.panes.values()][0]!;
 *   const pipe = viewer.pipe(pane, nullSink());
 *   viewer.focus(pane);
 *   // It begins with the screen as it is.
 *   while (pipe.stats.resyncs === 0) await new Promise((resolve) => setTimeout(resolve, 10));
 *   assert(viewer.stats.bytes > 0);
 * } catch (error) {
 *   assert(error instanceof BridgeError && error.code === 'ERR_TMUX_NOT_FOUND'); // no tmux here
 * }
 * ```
 */
export function createViewer(options: ViewerOptions = {}): Viewer {
  return new Viewer(options);
}
