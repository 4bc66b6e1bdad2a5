// Goal: whatever happens, no item is lost, duplicated, reordered within its key, delivered while the sink is busy,
// older than the budget while the sink was free, in a batch above its caps, or held above the memory limit.
// Method: random scripts of pushes, time and failing, slow and re-entrant sinks, in virtual time, against a list per
// key. Each item is 2 bytes: its key and its number within the key.
import { fc, test } from '@fast-check/vitest';
import { type Batch, BatcherFullError, concat, createBatcher, type Entry } from '@millrace/batcher';
import { type VirtualScheduler, virtualScheduler } from '@millrace/batcher/sim';
import { expect } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 300);
const KEYS = 4;

type Command =
  | { kind: 'push'; key: number; count: number; urgent: boolean }
  | { kind: 'advance'; ms: number }
  | { kind: 'flush' | 'hint' | 'endTick' };

/** How the sink treats one flush. */
interface Treatment {
  takesMs: number;
  isAsync: boolean;
  fails: boolean;
  pushes: number;
}

interface Script {
  commands: Command[];
  treatments: Treatment[];
  ending: 'close' | 'abort' | 'deadline';
  delayMsMax: number;
  bytesMax: number;
  countMax: number;
  pendingBytesMax: number;
  resolutionMs: number;
  hold: 'learned' | 'none';
  decision: 'retry' | 'split' | 'drop' | 'fail';
  attemptsMax: number;
}

const duration = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(20));
const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      key: fc.nat(KEYS - 1),
      count: fc.integer({ min: 1, max: 40 }),
      urgent: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: duration }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('flush' as const, 'hint' as const, 'endTick' as const),
    }),
  },
);
const treatment = fc.record({
  takesMs: duration,
  isAsync: fc.boolean(),
  fails: fc.oneof(
    { weight: 3, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  pushes: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
});
const script: fc.Arbitrary<Script> = fc.record({
  commands: fc.array(command, { maxLength: 60 }),
  treatments: fc.array(treatment, { maxLength: 30 }),
  ending: fc.constantFrom('close' as const, 'abort' as const, 'deadline' as const),
  delayMsMax: fc.constantFrom(0, 0.3, 2, 5),
  bytesMax: fc.constantFrom(1, 7, 64, 1 << 20),
  countMax: fc.constantFrom(1, 10, 65536),
  pendingBytesMax: fc.constantFrom(20, 300, 1 << 24),
  resolutionMs: fc.constantFrom(0, 1),
  hold: fc.constantFrom('learned' as const, 'none' as const),
  decision: fc.constantFrom('retry' as const, 'split' as const, 'drop' as const, 'fail' as const),
  attemptsMax: fc.integer({ min: 1, max: 3 }),
});

/** The world that a script plays in: a sink with treatments, and what it saw. */
class World {
  readonly scheduler: VirtualScheduler;
  readonly accepted: number[] = new Array(KEYS).fill(0);
  readonly delivered: number[][] = Array.from({ length: KEYS }, () => []);
  readonly dropped: number[][] = Array.from({ length: KEYS }, () => []);
  readonly arrivals: number[][] = Array.from({ length: KEYS }, () => []);
  readonly batcher;
  readonly script: Script;
  running = 0;
  freeSince = 0;
  isAborted = false;
  /** A batch failed and has not been delivered or dropped yet: backoff keeps the sink busy. */
  recovers = false;
  /** Time that synchronous flushes took so far. */
  burned = 0;
  readonly violations: unknown[] = [];
  #treatment = 0;

  constructor(script: Script) {
    this.script = script;
    this.scheduler = virtualScheduler(script.resolutionMs);
    this.batcher = createBatcher({
      merge: concat<number>(4),
      delayMsMax: script.delayMsMax,
      bytesMax: script.bytesMax,
      countMax: script.countMax,
      pendingBytesMax: script.pendingBytesMax,
      hold: script.hold,
      retry: { attemptsMax: script.attemptsMax, delayMs: 1, delayMsMax: 4 },
      random: () => 0.5,
      scheduler: this.scheduler,
      flush: (batch) => this.flush(batch),
      onError: (_error, batch) => {
        this.freeSince = this.scheduler.now();
        if (script.decision === 'drop') this.note(batch.entries, this.dropped);
        if (script.decision === 'split' && batch.entries.length === 1) {
          this.note(batch.entries, this.dropped);
          return 'drop';
        }
        return script.decision;
      },
    });
    this.batcher.closed.catch(() => {});
  }

  push(key: number, urgent = false): void {
    const item = Uint8Array.of(key, this.accepted[key]! & 255);
    try {
      this.arrivals[key]!.push(this.scheduler.now()); // first: a full batch is flushed inside the push
      this.accepted[key]!++;
      if (urgent) this.batcher.pushUrgent(item, key);
      else this.batcher.push(item, key);
      item.fill(255); // borrowed: what happens to it afterwards must not matter
    } catch (error) {
      if (!(error instanceof BatcherFullError)) throw error;
      this.arrivals[key]!.pop();
      this.accepted[key]!--;
    }
    expect(this.batcher.bytes).toBeLessThanOrEqual(this.script.pendingBytesMax);
  }

  /** Appends the numbers of the items in the entries to the lists of their keys. */
  note(entries: readonly Entry<number, Uint8Array>[], lists: number[][]): void {
    for (const { key, value } of entries) {
      expect(value.length % 2).toBe(0);
      for (let i = 0; i < value.length; i += 2) {
        expect(value[i]).toBe(key);
        lists[key]!.push(value[i + 1]!);
      }
    }
  }

  checkAges(batch: Batch<number, Uint8Array>): void {
    const { delayMsMax, resolutionMs } = this.script;
    // After flushes longer than a slice the event loop gets its turn, which takes a timer's time.
    const allowed = this.burned >= 8 ? Math.max(delayMsMax, resolutionMs) : delayMsMax;
    const now = this.scheduler.now();
    for (const { key } of batch.entries) {
      const oldest = this.arrivals[key]![this.delivered[key]!.length + this.dropped[key]!.length]!;
      const waited = now - Math.max(oldest, this.freeSince);
      expect(waited).toBeLessThanOrEqual(allowed + 1e-6);
    }
  }

  /** What must hold when a flush starts; kept for the end, since a throwing sink is an ordinary event here. */
  check(batch: Batch<number, Uint8Array>): void {
    try {
      expect(this.running).toBe(0);
      expect(this.isAborted).toBe(false);
      expect(batch.entries.length).toBeGreaterThan(0);
      expect(batch.count).toBeLessThanOrEqual(this.script.countMax); // Q4
      expect(batch.bytes).toBeLessThanOrEqual(Math.max(this.script.bytesMax, 2)); // Q4: one item is 2 bytes
      if (!this.recovers) this.checkAges(batch);
    } catch (error) {
      this.violations.push(error);
    }
  }

  flush(batch: Batch<number, Uint8Array>): void | Promise<void> {
    this.check(batch);
    const { takesMs, isAsync, fails, pushes } = this.script.treatments[this.#treatment++] ?? {
      takesMs: 0,
      isAsync: false,
      fails: false,
      pushes: 0,
    };
    for (let i = 0; i < pushes && this.batcher.state === 'open'; i++) this.push(i % KEYS);
    const end = (): void => {
      this.running = 0;
      this.freeSince = this.scheduler.now();
      this.recovers = fails;
      if (fails) throw new Error('scripted failure');
      this.note(batch.entries, this.delivered);
    };
    this.running = 1;
    if (isAsync) {
      return new Promise((resolve, reject) => {
        this.scheduler.wake(() => {
          if (this.isAborted) return;
          try {
            end();
            resolve();
          } catch (error) {
            reject(error);
          }
        }, takesMs);
      });
    }
    this.scheduler.burn(takesMs);
    this.burned += takesMs;
    end();
  }

  async play(command: Command): Promise<void> {
    if (this.batcher.state !== 'open') return;
    if (command.kind === 'push') {
      for (let i = 0; i < command.count && this.batcher.state === 'open'; i++) {
        this.push(command.key, command.urgent);
      }
    } else if (command.kind === 'advance') await this.scheduler.advanceAsync(command.ms);
    else if (command.kind === 'flush') this.batcher.flush();
    else if (command.kind === 'hint') this.batcher.hint(3);
    else this.scheduler.endTick();
  }

  /** Every accepted item is in exactly one list, in order. */
  checkAll(undelivered: number[][], unsettled: number[][]): void {
    expect(this.violations).toEqual([]);
    for (let key = 0; key < KEYS; key++) {
      const lost = [...this.delivered[key]!, ...unsettled[key]!, ...undelivered[key]!];
      const all = Array.from({ length: this.accepted[key]! }, (_, i) => i & 255);
      if (this.dropped[key]!.length === 0) expect(lost).toEqual(all);
      else {
        expect(lost.length + this.dropped[key]!.length).toBe(all.length);
        let at = 0;
        for (const n of all) if (lost[at] === n) at++;
        expect(at).toBe(lost.length);
      }
    }
  }
}

const lists = (): number[][] => Array.from({ length: KEYS }, () => []);

/** A batch was dropped, a full one waited for the event loop's next turn, and a push made it fuller than allowed. */
const pushAfterDrop: Script = {
  commands: [
    { kind: 'push', key: 1, count: 3, urgent: false },
    { kind: 'advance', ms: 11 },
    { kind: 'push', key: 1, count: 1, urgent: false },
  ],
  treatments: [
    { takesMs: 10, isAsync: true, fails: false, pushes: 0 },
    { takesMs: 0, isAsync: true, fails: true, pushes: 0 },
  ],
  ending: 'close',
  delayMsMax: 0,
  bytesMax: 1 << 20,
  countMax: 1,
  pendingBytesMax: 20,
  resolutionMs: 1,
  hold: 'learned',
  decision: 'drop',
  attemptsMax: 1,
};

test.prop([script], { numRuns: runs, examples: [[pushAfterDrop]] })(
  'keeps every item, once, in order, in time, in bounds',
  async (script) => {
    const world = new World(script);
    const { batcher, scheduler } = world;
    for (const command of script.commands) await world.play(command);
    const undelivered = lists();
    const unsettled = lists();
    const collect = (remains: ReturnType<typeof batcher.abort>): void => {
      world.isAborted = true;
      world.note(remains.undelivered, undelivered);
      world.note(remains.unsettled, unsettled);
    };
    const isFailed = (): boolean => batcher.state === 'failed';
    if (script.ending === 'abort' || isFailed()) collect(batcher.abort());
    else {
      const closing = batcher.close(script.ending === 'close' ? {} : { timeoutMs: 5 });
      closing.catch(() => {});
      await scheduler.advanceAsync(script.ending === 'close' ? 60_000 : 6);
      if (isFailed()) collect(batcher.abort());
      else collect(await closing);
    }
    world.checkAll(undelivered, unsettled);
    expect(() => batcher.push(Uint8Array.of(0, 0), 0)).toThrow(/not open/);
    await scheduler.advanceAsync(10_000); // nothing happens after the end
  },
);
