/**
 * What one thread alone can notice of a broken `wait.ts` or `timers.ts`: which way it sleeps, what it wakes, and when
 * its time is over. For the mutation gate, so that the scenarios in `waiting.ts` can be about what threads do to one
 * another.
 */
import { type CheckResult, check, checkAsync } from '@millrace/interleave';
import type { GateScenario } from '@millrace/interleave/mutate';
import { AVAILABLE, LINE, makeWords, plain } from './waiting.ts';

type Module = typeof import('../../src/wait.ts');
type Waiter = InstanceType<Module['Waiter']>;
type WaiterOptions = ConstructorParameters<Module['Waiter']>[2];

const equal = (found: unknown, expected: unknown, what: string): void => {
  if (!Object.is(found, expected)) throw new Error(`${what}: ${found}, not ${expected}`);
};

/** A few turns of the microtask queue: what is ready has settled. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await undefined;
};

/** Returns the checks of a build of `wait.ts`. */
export function aloneOf(module: Module): readonly GateScenario[] {
  const { FLAG, FLAG_BELL, FLAG_ENDED, FLAG_MIRROR, FLAG_WAITER, TARGET, wake, wakeAnyway } =
    module;

  /** One thread, everything that it awaits included. */
  const alone = (
    name: string,
    run: (words: Int32Array) => unknown,
    { pause = 'sleep' as 'sleep' | 'step' } = {},
  ): GateScenario => ({
    name: `one thread, ${name}`,
    run: (): Promise<CheckResult> =>
      checkAsync({
        name,
        setup: () => makeWords(),
        threads: [
          {
            run: async (words) => {
              await run(words);
              return 'ended';
            },
          },
        ],
        final: (_words, [results]) => results?.[0] === 'ended' || 'it never ended',
        bounds: { opSteps: 100 },
        pause,
      }),
  });

  const waiterOn = (words: Int32Array, options: Partial<WaiterOptions> = {}): Waiter =>
    new module.Waiter(words, LINE, { ...plain, ...options });
  const never = { isReady: () => false, announce: () => {} };
  const flagOf = (words: Int32Array): number => Atomics.load(words, LINE + FLAG);
  return [
    alone('wakes as the flag says', (words) => {
      const cases = [
        [FLAG_WAITER, 0, false],
        [FLAG_BELL, 0, true],
        [FLAG_MIRROR, FLAG_MIRROR, true],
        [FLAG_WAITER | FLAG_MIRROR | FLAG_ENDED, FLAG_MIRROR | FLAG_ENDED, true],
      ] as const;
      for (const [flag, left, isRung] of cases) {
        let rung = false;
        Atomics.store(words, LINE + FLAG, flag);
        wake(words, LINE, () => {
          rung = true;
        });
        equal(flagOf(words), left, `flag after ${flag}`);
        equal(rung, isRung, `bell after ${flag}`);
      }
      wake(words, LINE, undefined);
      wakeAnyway(words, LINE);
    }),
    alone("a wait without time looks once and doesn't sleep", async (words) => {
      const waiter = waiterOn(words);
      equal(waiter.waitSync(never, 0), false, 'blocking');
      Atomics.store(words, LINE + FLAG, 0);
      equal(await waiter.wait(never, { timeoutMs: 0 }), false, 'promise');
      equal(flagOf(words), 0, 'flag');
      const now = { isReady: () => true, announce: () => {} };
      equal(waiter.waitSync(now, 0), true, 'blocking, ready');
      equal(await waiter.wait(now, { timeoutMs: 0 }), true, 'promise, ready');
      equal(waiter.parks, 0, 'parks');
    }),
    alone(
      'a blocking wait ends in time, awake or asleep',
      (words) => {
        equal(waiterOn(words).waitSync(never, 5), false, 'asleep');
        equal(waiterOn(words, { spin: 9 }).waitSync(never, 5), false, 'awake first');
      },
      { pause: 'step' },
    ),
    alone('takes the strategy that it is told, or the best', async (words) => {
      const doorbell = { postMessage: () => {}, addEventListener: () => {} };
      const cases = [
        [{}, FLAG_WAITER],
        [{ doorbell }, FLAG_BELL],
        [{ strategy: 'waitAsync', doorbell }, FLAG_WAITER],
        [{ strategy: 'poll' }, FLAG_BELL],
        [{ strategy: 'local' }, FLAG_BELL],
      ] as const;
      for (const [options, flag] of cases) {
        Atomics.store(words, LINE + FLAG, 0);
        const waiter = waiterOn(words, options);
        const { signal, end } = signalled();
        const waiting = waiter.wait(never, { signal }).catch((error) => error.message);
        await settle();
        equal(flagOf(words), flag, `flag of ${JSON.stringify(options)}`);
        end();
        equal(await waiting, 'enough', 'reason');
      }
    }),
    alone("doesn't spin in promises unless told to", async (words) => {
      let looks = 0;
      const later = {
        isReady: () => Atomics.load(words, AVAILABLE) === 0 && ++looks === 2,
        announce: () => {},
      };
      equal(await waiterOn(words, { spin: undefined }).wait(later, {}), true, 'ready');
      equal(flagOf(words), FLAG_WAITER, 'flag');
    }),
    alone('a doorbell wakes', async (words) => {
      let ring: () => void = () => {};
      let started = 0;
      const doorbell = {
        postMessage: () => {},
        addEventListener: (_: 'message', listener: () => void) => {
          ring = listener;
        },
        start: () => started++,
        unref: () => started++,
      };
      const waiter = waiterOn(words, { doorbell });
      equal(started, 2, 'started and unreferenced');
      let isReady = false;
      const waiting = waiter.wait({ isReady: () => isReady, announce: () => {} }, {});
      await settle();
      isReady = true;
      ring();
      equal(await waiting, true, 'ready');
    }),
    alone('a signal ends the wait of its handle, whoever else sleeps', async (words) => {
      const [first, second] = [waiterOn(words), waiterOn(words)];
      const one = signalled();
      const two = signalled();
      const waiting = first.wait(never, { signal: one.signal }).catch((error) => error.message);
      const other = second.wait(never, { signal: two.signal }).catch((error) => error.message);
      await settle();
      two.end();
      equal(await other, 'enough', 'the second');
      one.end();
      equal(await waiting, 'enough', 'the first');
      equal(Atomics.load(words, LINE + TARGET), 0, 'target');
    }),
  ];
}

/** Timers that fire when told to: what real ones would show, without their time. */
class Clock {
  /** Whether the timer that holds the event loop does so now. */
  holds = false;
  /** Intervals made (count). */
  intervals = 0;
  #nowMs = 0;
  readonly #timers = new Map<object, { readonly atMs: number; readonly fire: () => void }>();

  async during(body: () => Promise<void>): Promise<CheckResult> {
    const { setTimeout, clearTimeout, setInterval } = globalThis;
    const now = performance.now;
    const interval = {
      ref: () => {
        this.holds = true;
      },
      unref: () => {
        this.holds = false;
      },
    };
    Object.assign(globalThis, {
      setTimeout: (fire: () => void, delayMs: number) => {
        const handle = {};
        this.#timers.set(handle, { atMs: this.#nowMs + delayMs, fire });
        return handle;
      },
      clearTimeout: (handle: object) => this.#timers.delete(handle),
      setInterval: () => {
        this.intervals++;
        this.holds = true;
        return interval;
      },
    });
    performance.now = () => this.#nowMs;
    try {
      await body();
    } finally {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval });
      performance.now = now;
    }
    // What the gate takes for "not noticed"; a difference is thrown before.
    return check({ setup: () => new Int32Array(1), threads: [{ run: () => true }] });
  }

  /** Moves on, firing what is due, and lets promises settle. */
  async advance(delayMs: number): Promise<void> {
    this.#nowMs += delayMs;
    for (const [handle, { atMs, fire }] of [...this.#timers]) {
      if (atMs <= this.#nowMs && this.#timers.delete(handle)) fire();
    }
    await settle();
  }
}

/** Returns what the timers of a build of `wait.ts` and `timers.ts` must do. Not model checked: one thread has them. */
export function timersOf(module: Module): readonly GateScenario[] {
  const wait = (ref: boolean, timeoutMs: number) => {
    const { signal, end } = signalled();
    const options = { ...plain, ref, strategy: 'local' as const };
    const waiter = new module.Waiter(makeWords(), LINE, options);
    const state = { result: 'waits', end };
    waiter.wait({ isReady: () => false, announce: () => {} }, { timeoutMs, signal }).then(
      (isReady) => {
        state.result = isReady ? 'ready' : 'timed out';
      },
      (error) => {
        state.result = error.message;
      },
    );
    return state;
  };
  return [
    {
      name: 'T1: timeouts come in their order, each in time',
      run: () => {
        const clock = new Clock();
        return clock.during(async () => {
          const waits = [5, 2, 3_600_000, 12, 3_600_000].map((timeoutMs) => wait(false, timeoutMs));
          const expect = (...results: string[]): void => {
            equal(waits.map(({ result }) => result).join(), results.join(), 'waits');
          };
          const [late, waiting] = ['timed out', 'waits'];
          await clock.advance(1);
          expect(waiting, waiting, waiting, waiting, waiting);
          await clock.advance(1);
          expect(waiting, late, waiting, waiting, waiting);
          await clock.advance(3);
          expect(late, late, waiting, waiting, waiting);
          waits[2]!.end();
          await clock.advance(7);
          expect(late, late, 'enough', late, waiting);
          await clock.advance(3_600_000);
          expect(late, late, 'enough', late, late);
        });
      },
    },
    {
      name: 'waits hold the event loop while their handle wants that',
      run: () => {
        const clock = new Clock();
        return clock.during(async () => {
          for (const ref of [false, true, true]) {
            const waits = [wait(ref, Infinity), wait(ref, Infinity)];
            for (const { end } of waits) {
              equal(clock.holds, ref, 'holds');
              end();
              await settle();
            }
            equal(clock.holds, false, 'holds afterwards');
          }
          equal(clock.intervals, 1, 'intervals');
        });
      },
    },
  ];
}

/** A signal and what aborts it; the real one's events swallow the exceptions that pause a replay. */
function signalled(): { signal: AbortSignal; end: () => void } {
  const listeners = new Set<() => void>();
  let aborted = false;
  const signal: Partial<AbortSignal> = {
    throwIfAborted: () => {
      if (aborted) throw new Error('enough');
    },
    addEventListener: (_: string, listener: unknown) => void listeners.add(listener as () => void),
    removeEventListener: (_: string, listener: unknown) =>
      void listeners.delete(listener as () => void),
  };
  const end = (): void => {
    aborted = true;
    for (const listener of listeners) listener();
  };
  return { signal: signal as AbortSignal, end };
}
