/**
 * Scenarios about `wait.ts` alone: threads that post to a counter and threads that sleep until they can take from it.
 *
 * A ring around it only multiplies states; so here there is room for several wakers and several sleepers on one line,
 * as a queue and lanes have them. `opSteps` is low, so that a sleeper that doesn't sleep shows as what it is: a loop
 * without end. For the mutation gate; W1 to W4 are the invariants of `wait.ts`.
 */
import {
  type BuiltinCoverage,
  check,
  checkAsync,
  type Operation,
  type Scenario,
  type ScriptedThread,
} from '@millrace/interleave';
import type { GateScenario } from '@millrace/interleave/mutate';

type Module = typeof import('../../src/wait.ts');
type Waiter = InstanceType<Module['Waiter']>;
type WaiterOptions = ConstructorParameters<Module['Waiter']>[2];

/** Words: a spare one, the line, and one to take from. */
export const LINE = 1;
export const AVAILABLE = 4;
const ENDED = 5;

export const makeWords = (flag = 0): Int32Array => {
  const words = new Int32Array(new SharedArrayBuffer(32));
  words[LINE] = flag;
  return words;
};
export const plain: WaiterOptions = {
  spin: 0,
  ref: false,
  strategy: 'auto',
  doorbell: undefined,
  before: () => {},
};

/** A thread's handle: takes from the counter, and posts to it. */
class Party {
  readonly words: Int32Array;
  readonly waiter: Waiter;
  private readonly module: Module;
  private readonly untilEnd: boolean;

  constructor(
    module: Module,
    words: Int32Array,
    options: Partial<WaiterOptions>,
    untilEnd = false,
  ) {
    this.module = module;
    this.words = words;
    this.waiter = new module.Waiter(words, LINE, { ...plain, ...options });
    this.untilEnd = untilEnd;
  }

  isReady(): boolean {
    if (Atomics.load(this.words, AVAILABLE) > 0) return true;
    return this.untilEnd && Atomics.load(this.words, ENDED) !== 0;
  }

  announce(): void {}

  post(): void {
    Atomics.add(this.words, AVAILABLE, 1);
    if (Atomics.load(this.words, LINE) !== 0) this.module.wake(this.words, LINE, undefined);
  }

  /** Ends, as for a thread that was killed. */
  end(): void {
    Atomics.store(this.words, ENDED, 1);
    this.module.wakeAnyway(this.words, LINE);
  }

  tryTake(): boolean {
    for (;;) {
      const count = Atomics.load(this.words, AVAILABLE);
      if (count === 0) return false;
      if (Atomics.compareExchange(this.words, AVAILABLE, count, count - 1) === count) return true;
    }
  }

  take(): boolean {
    while (!this.tryTake()) {
      if (!this.waiter.waitSync(this, Infinity)) throw new Error('a wait without limit timed out');
      if (this.untilEnd && Atomics.load(this.words, ENDED) !== 0) return false;
    }
    return true;
  }

  async takeAsync(): Promise<boolean> {
    while (!this.tryTake()) {
      if (!(await this.waiter.wait(this, {}))) throw new Error('a wait without limit timed out');
    }
    return true;
  }

  /** Whether it was there within some time. */
  takeWithin(timeoutMs: number): boolean {
    return this.waiter.waitSync(this, timeoutMs) && this.tryTake();
  }
}

/** Handles don't count how often they slept: equal states stay equal. */
function call(handle: object, name: string, args: readonly unknown[]): unknown {
  const party = handle as Party;
  const result = (party as unknown as Record<string, (...values: readonly unknown[]) => unknown>)[
    name
  ]!(...args);
  const forget = (value: unknown): unknown => {
    party.waiter.parks = 0;
    return value;
  };
  return result instanceof Promise ? result.then(forget) : forget(result);
}

const slept: BuiltinCoverage[] = ['blocked', 'woken'];

/** Returns the scenarios of a build of `wait.ts`. */
export function waitingOf(module: Module): readonly GateScenario[] {
  const { FLAG, FLAG_BELL, FLAG_ENDED, FLAG_WAITER, wake } = module;

  const party = (
    ops: readonly Operation[],
    options: Partial<WaiterOptions> = {},
    untilEnd = false,
  ): ScriptedThread<Int32Array> => ({
    attach: (words) => new Party(module, words, options, untilEnd),
    ops,
    call,
  });
  const times = (count: number, name: string): Operation[] => Array(count).fill([name]);

  const scenario = (
    name: string,
    threads: Scenario<Int32Array>['threads'],
    more: Partial<Scenario<Int32Array>> = {},
  ): GateScenario => ({
    name,
    run: () => {
      const whole: Scenario<Int32Array> = {
        name,
        setup: () => makeWords(),
        threads,
        fingerprint: 'fields',
        bounds: { opSteps: 60 },
        ...more,
      };
      const isAsync = threads.some(
        (thread) => 'ops' in thread && thread.ops[0]?.[0] === 'takeAsync',
      );
      return isAsync ? checkAsync(whole) : check(whole);
    },
  });

  const waiterOn = (words: Int32Array, options: Partial<WaiterOptions> = {}): Waiter =>
    new module.Waiter(words, LINE, { ...plain, ...options });
  const never = { isReady: () => false, announce: () => {} };

  return [
    scenario('W1: one posts, one sleeps', [party(times(2, 'post')), party(times(2, 'take'))], {
      cover: slept,
    }),
    scenario(
      'W2: two post, one sleeps, another left its flag behind',
      [party(times(2, 'post')), party(times(1, 'post')), party(times(3, 'take'))],
      { cover: slept, setup: () => makeWords(FLAG_WAITER) },
    ),
    scenario(
      'W2: one posts, two sleep',
      [party(times(2, 'post')), party(times(1, 'take')), party(times(1, 'take'))],
      { cover: slept },
    ),
    scenario(
      'W2: one posts, one sleeps, an end is declared dead',
      [party(times(2, 'post')), party(times(2, 'take')), party(times(1, 'end'))],
      { cover: slept },
    ),
    scenario(
      'W2: the waker is killed at any point, and declared dead; two sleep',
      [
        { ...party(times(1, 'post')), crash: true },
        party(times(1, 'take'), {}, true),
        party(times(1, 'take'), {}, true),
        party(times(1, 'end')),
      ],
      { cover: [...slept, 'crashed'] },
    ),
    scenario(
      'W3: one posts, one sleeps for some time',
      [party(times(1, 'post')), party([['takeWithin', 5]])],
      { cover: [...slept, 'timed-out'] },
    ),
    scenario(
      'W1: one posts, one spins before it sleeps',
      [party(times(1, 'post')), party(times(1, 'take'), { spin: 9 })],
      { cover: slept, pause: 'step' },
    ),
    scenario(
      'W1: one posts, one sleeps in promises',
      [party(times(2, 'post')), party(times(2, 'takeAsync'))],
      { cover: slept },
    ),
    scenario(
      'W2: one posts, one sleeps in a promise and one blocks',
      [party(times(2, 'post')), party(times(1, 'takeAsync')), party(times(1, 'take'))],
      { cover: slept },
    ),
    scenario(
      "what one raises while another wakes isn't lost",
      [
        {
          run: (words) => {
            Atomics.or(words, LINE + FLAG, FLAG_WAITER);
            wake(words, LINE, undefined);
          },
        },
        { run: (words) => void Atomics.or(words, LINE + FLAG, FLAG_ENDED) },
      ],
      { final: (words) => words[LINE + FLAG] === FLAG_ENDED || `flag is ${words[LINE + FLAG]}` },
    ),
    {
      name: 'two who sleep differently both say so',
      run: () =>
        checkAsync({
          setup: () => makeWords(),
          threads: [
            { run: (words) => waiterOn(words).waitSync(never, 0) },
            {
              run: (words) => {
                let looks = 0;
                const second = { isReady: () => ++looks === 2, announce: () => {} };
                return waiterOn(words, { strategy: 'local' }).wait(second, {});
              },
            },
          ],
          final: (words, results) =>
            (words[LINE + FLAG] === (FLAG_WAITER | FLAG_BELL) && results.join() === 'false,true') ||
            `flag is ${words[LINE + FLAG]}, and they got ${results.join()}`,
        }),
    },
  ];
}
