// Goal: B1, B2, B4 to B6 and Q4 with every option at its odd values, every merge, and a user whose flush and hooks call
// the batcher back: push, flush, abort, close and forget from inside, throw, and change their mind.
// Method: random scripts in virtual time. Items of a key are numbered; deliveries, drops and what `abort` returns must
// continue each key's numbers without a gap, whatever happened in between.
import { fc, test } from '@fast-check/vitest';
import {
  type Batch,
  BatcherClosedError,
  BatcherFullError,
  type BatcherLane,
  createBatcher,
  type Entry,
  type FailureDecision,
  last,
  list,
  type Merge,
} from '@millrace/batcher';
import { virtualScheduler } from '@millrace/batcher/sim';
import { expect } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 300);
const KEYS = 3;

interface Item {
  readonly key: number;
  readonly number: number;
  readonly weight: number;
}

class Refusal extends Error {}

/** Keeps its accumulators, splits, and refuses an item now and then. */
const inPlace = (refuses: () => boolean) => ({
  create: () => [] as Item[],
  append: (items: Item[], item: Item) => {
    if (refuses()) throw new Refusal();
    items.push(item);
  },
  clear: (items: Item[]) => {
    items.length = 0;
  },
  split: (items: Item[], rest: Item[]) => {
    rest.push(...items.splice((items.length + 1) >> 1));
    return rest.length;
  },
  value: (items: Item[]) => items.slice(),
});

const infinity = Number.POSITIVE_INFINITY;
const duration = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(20));
const act = fc.constantFrom<Act>(
  'push',
  'burst',
  'flush',
  'forget',
  'urgent',
  'hint',
  'stats',
  'drain',
);
/** What a callback does: mostly nothing. */
const acts = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Act[]>([]) },
  { weight: 2, arbitrary: fc.array(act, { maxLength: 3 }) },
);
type Act =
  | 'push'
  /** Several to one key: from the third on they go the short way. */
  | 'burst'
  | 'flush'
  | 'forget'
  | 'urgent'
  | 'hint'
  | 'stats'
  | 'drain'
  | 'close'
  | 'abort'
  | 'throw';
/** Acts that end it, rare enough that most runs get far. */
const endings = fc.oneof(
  { weight: 40, arbitrary: fc.constant<Act[]>([]) },
  { weight: 1, arbitrary: fc.constantFrom<Act[]>(['abort'], ['close'], ['close', 'abort']) },
);
const callback = fc.tuple(acts, endings).map(([some, end]) => [...some, ...end]);

const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      key: fc.nat(KEYS - 1),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: duration }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      act: fc.oneof(
        { weight: 20, arbitrary: act },
        { weight: 1, arbitrary: fc.constantFrom<Act>('close', 'abort') },
      ),
    }),
  },
);
const treatment = fc.record({
  takesMs: duration,
  settles: fc.constantFrom('at once' as const, 'later' as const, 'later' as const),
  fails: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  before: callback,
});
const decision = fc.record({
  decision: fc.constantFrom<FailureDecision | 'throw'>('retry', 'split', 'split', 'drop', 'fail'),
  acts: callback,
});
const script = fc.record({
  merge: fc.constantFrom('list' as const, 'in place' as const, 'last' as const),
  refuses: fc.boolean(),
  weights: fc.option(fc.array(fc.constantFrom(0, 0.1, 1, 3, 50), { minLength: 1 }), { nil: null }),
  commands: fc.array(command, { maxLength: 60 }),
  treatments: fc.array(treatment, { maxLength: 40 }),
  decisions: fc.array(decision, { maxLength: 12 }),
  pressures: fc.array(callback, { maxLength: 6 }),
  deliveries: fc.array(callback, { maxLength: 6 }),
  options: fc.record({
    delayMsMax: fc.constantFrom(0, 0.3, 2, infinity),
    bytesMax: fc.constantFrom(1, 7, 64, 1 << 20, infinity),
    countMax: fc.constantFrom(1, 2.5, 10, 65536, infinity),
    pendingBytesMax: fc.constantFrom(20, 300, 1 << 24, infinity),
    sliceMs: fc.constantFrom(0, 1, 8, infinity),
    sojournMs: fc.constantFrom(0, 1, 10, infinity),
    overhead: fc.constantFrom(0.001, 0.1, 1),
    waiting: fc.constantFrom('oldest' as const, 'each' as const),
    hold: fc.constantFrom('learned' as const, 'none' as const),
  }),
  resolutionMs: fc.constantFrom(0, 1),
  attemptsMax: fc.integer({ min: 1, max: 3 }),
  reports: fc.boolean(),
});
type Script = typeof script extends fc.Arbitrary<infer S> ? S : never;

class World {
  readonly script: Script;
  readonly scheduler: ReturnType<typeof virtualScheduler>;
  readonly batcher: ReturnType<typeof createBatcher<Item, number, unknown, unknown>>;
  /** Every item that was accepted, by key. */
  readonly accepted: Item[][] = Array.from({ length: KEYS }, () => []);
  /** Items that are delivered, dropped or given back. */
  readonly settled: number[] = new Array<number>(KEYS).fill(0);
  /** Items that some flush has had. */
  readonly taken: number[] = new Array<number>(KEYS).fill(0);
  readonly #pinned: (BatcherLane<Item> | undefined)[] = [];
  readonly #pressed = new Set<number>();
  running = false;
  isOver = false;
  #depth = 0;
  #at = { item: 0, treatment: 0, decision: 0, pressure: 0, delivery: 0 };
  violations: unknown[] = [];

  constructor(script: Script) {
    this.script = script;
    this.scheduler = virtualScheduler(script.resolutionMs);
    const refuses = (): boolean => script.refuses && this.#at.item % 7 === 3;
    const merges = {
      list: list<Item, number>(),
      'in place': inPlace(refuses),
      last: last<Item, number>(),
    };
    const { pressures, deliveries, decisions, weights, options } = script;
    this.batcher = createBatcher<Item, number, unknown, unknown>({
      merge: merges[script.merge] as unknown as Merge<Item, number, unknown> & {
        value: (a: unknown) => unknown;
      },
      ...options,
      ...(weights === null ? {} : { weigh: (item: Item) => item.weight }),
      retry: { attemptsMax: script.attemptsMax },
      random: () => 0.5,
      scheduler: this.scheduler,
      flush: (batch) => this.#flush(batch),
      onPressure: (key, pressed) => {
        this.#check(() => expect(this.#pressed.has(key)).toBe(!pressed));
        if (pressed) this.#pressed.add(key);
        else this.#pressed.delete(key);
        this.#play(pressures[this.#at.pressure++]);
      },
      onDelivered: (ageMs, count) => {
        this.#check(() => {
          expect(count).toBeGreaterThan(0);
          expect(ageMs).toBeGreaterThanOrEqual(0);
        });
        this.#play(deliveries[this.#at.delivery++]);
      },
      onError: (_error, batch) => {
        const { decision, acts } = decisions[this.#at.decision++] ?? {
          decision: 'drop' as const,
          acts: [],
        };
        const entries = batch.entries.map((entry) => ({ ...entry }));
        this.#play(acts);
        if (decision === 'drop' && !this.isOver) this.#settle(entries);
        return decision as FailureDecision;
      },
    });
    this.batcher.closed.catch(() => {});
  }

  #check(assertions: () => void): void {
    try {
      assertions();
    } catch (error) {
      this.violations.push(error); // a sink that throws is an ordinary event here
    }
  }

  push(key: number, urgent = false): void {
    const { weights } = this.script;
    const index = this.#at.item++;
    const item: Item = {
      key,
      number: this.accepted[key]!.length,
      weight: weights === null ? 1 : weights[index % weights.length]!,
    };
    const { batcher } = this;
    const wasOpen = batcher.state === 'open';
    if (index % 3 > 0) this.#pinned[key] ??= batcher.lane(key);
    const way = index % 3 === 0 ? batcher : this.#pinned[key]!;
    this.accepted[key]!.push(item); // first: it may be delivered inside the push
    try {
      const admitted = urgent ? way.pushUrgent(item, key) : way.push(item, key);
      this.#check(() => {
        expect(wasOpen).toBe(true);
        expect(typeof admitted).toBe('boolean');
      });
    } catch (error) {
      expect(this.accepted[key]!.pop()).toBe(item); // B5
      if (error instanceof BatcherClosedError) this.#check(() => expect(wasOpen).toBe(false));
      else if (!(error instanceof BatcherFullError || error instanceof Refusal)) throw error;
    }
    this.#check(() =>
      expect(batcher.bytes).toBeLessThanOrEqual(this.script.options.pendingBytesMax),
    ); // B4
  }

  /** Notes that the entries are done with: their items are the next ones of their keys. */
  #settle(entries: readonly Entry<number, unknown>[]): void {
    for (const { key, count, value } of entries) {
      this.#check(() => {
        const from = this.settled[key]!;
        const items = this.accepted[key]!.slice(from, from + count);
        expect(value).toEqual(this.script.merge === 'last' ? items.at(-1) : items);
        expect(items.length).toBe(count);
      });
      this.settled[key]! += count;
    }
  }

  #checkBatch(batch: Batch<number, unknown>): void {
    const { countMax, bytesMax } = this.script.options;
    const isLast = this.script.merge === 'last';
    expect(this.running).toBe(false); // B1
    expect(this.isOver).toBe(false); // B6
    expect(batch.entries.length).toBeGreaterThan(0);
    expect(isLast ? batch.entries.length : batch.count).toBeLessThanOrEqual(countMax); // Q4
    const bytesMost = batch.entries.length > 1 ? bytesMax : isLast ? infinity : bytesMax / 8 + 50;
    expect(batch.bytes).toBeLessThanOrEqual(bytesMost + 1e-6); // Q4
    for (const { count } of batch.entries) expect(count).toBeGreaterThan(0);
  }

  #flush(batch: Batch<number, unknown>): undefined | { costMs: number } | Promise<unknown> {
    this.#check(() => this.#checkBatch(batch));
    const ends = this.settled.slice();
    for (const { key, count } of batch.entries) ends[key]! += count;
    for (let key = 0; key < KEYS; key++) this.taken[key] = Math.max(this.taken[key]!, ends[key]!);
    const { takesMs, settles, fails, before } = this.script.treatments[this.#at.treatment++] ?? {
      takesMs: 0,
      settles: 'at once',
      fails: false,
      before: [],
    };
    this.running = true;
    const report = this.script.reports ? { costMs: takesMs } : undefined;
    const end = (): typeof report => {
      this.running = false;
      if (this.isOver) return report;
      if (fails) throw new Error('scripted failure');
      this.#settle(batch.entries);
      return report;
    };
    this.#play(before);
    if (settles === 'at once') {
      this.scheduler.burn(takesMs);
      return end();
    }
    return new Promise((resolve, reject) => {
      this.scheduler.wake(() => {
        try {
          resolve(end());
        } catch (error) {
          reject(error);
        }
      }, takesMs);
    });
  }

  #play(acts: readonly Act[] | undefined): void {
    if (acts === undefined || this.#depth > 3) return;
    this.#depth++;
    for (const one of acts) this.act(one);
    this.#depth--;
  }

  act(one: Act): void {
    const { batcher } = this;
    const key = this.#at.item % KEYS;
    if (one === 'push' || one === 'urgent') this.push(key, one === 'urgent');
    else if (one === 'burst') for (let i = 0; i < 5; i++) this.push(key);
    else if (one === 'flush') batcher.flush();
    else if (one === 'forget') batcher.forget(key);
    else if (one === 'hint') batcher.hint(3);
    else if (one === 'stats') this.#checkCounts();
    else if (one === 'drain') batcher.drain({ timeoutMs: 3 }).catch(() => {});
    else if (one === 'close') batcher.close().catch(() => {});
    else if (one === 'abort') this.abort();
  }

  /** What the batcher says of itself is what the model knows. */
  #checkCounts(): void {
    const { batcher, script } = this;
    const { count, pushed, delivered, dropped } = batcher.stats();
    this.#check(() => {
      expect(count).toBe(batcher.count);
      const accepted = this.accepted.reduce((sum, items) => sum + items.length, 0);
      const settled = this.settled.reduce((sum, n) => sum + n, 0);
      // Inside a push the newest item is in neither count yet, and inside a hook a batch may be in both.
      if (this.#depth > 0) return;
      expect(pushed).toBe(accepted);
      if (!this.isOver) expect(delivered + dropped).toBe(settled);
      if (script.merge !== 'last' && !this.isOver && !this.running) {
        expect(count).toBeLessThanOrEqual(accepted - settled);
      }
    });
  }

  abort(): void {
    const { unsettled, undelivered } = this.batcher.abort(new Error('scripted abort'));
    this.isOver = true;
    this.#settle(unsettled);
    this.#settle(undelivered);
    this.#check(() => {
      expect(this.batcher.count).toBe(0);
      expect(this.batcher.bytes).toBe(0);
    });
  }
}

test.prop([script], { numRuns: runs })(
  'keeps every item, whatever its flush and its hooks do meanwhile',
  async (script) => {
    const world = new World(script);
    const { batcher, scheduler } = world;
    for (const command of script.commands) {
      if (command.kind === 'advance') await scheduler.advanceAsync(command.ms);
      else if (command.kind === 'act') world.act(command.act);
      else {
        for (let i = 0; i < command.count; i++) world.push(command.key);
      }
      world.act('stats');
    }
    if (batcher.state === 'open') batcher.close().catch(() => {});
    await scheduler.advanceAsync(1e7);
    expect(['closed', 'aborted', 'failed']).toContain(batcher.state);
    if (batcher.state === 'failed') world.abort();
    expect(world.violations).toEqual([]);
    expect(world.settled).toEqual(world.accepted.map((items) => items.length)); // B2
    expect(batcher.count).toBe(0);
    expect(batcher.bytes).toBeLessThan(1e-6);
    await scheduler.advanceAsync(1e5); // nothing happens after the end
    expect(world.violations).toEqual([]);
    expect(scheduler.pending).toBe(0);
  },
);
