/**
 * Goal: verdicts, reports, bounds and errors as documented. Method: the smallest program for each.
 */
import {
  assertVerified,
  check,
  checkAsync,
  fifo,
  NotVerifiedError,
  outcomes,
  replay,
  ScenarioError,
  type Spec,
  TokenError,
  twoPhaseFifo,
  UnmodelledError,
} from '@millrace/interleave';
import { describe, expect, test } from 'vitest';
import { mpmc } from './support/subjects/mpmc.ts';
import { spsc } from './support/subjects/spsc.ts';

const cells = () => new Int32Array(new SharedArrayBuffer(16));
const increments = (add: (array: Int32Array) => void) => ({
  setup: cells,
  threads: [{ run: add }, { run: add }],
  final: (array: Int32Array) => array[0] === 2,
});
const racyAdd = (array: Int32Array) => {
  Atomics.store(array, 0, Atomics.load(array, 0) + 1);
};

describe('reports', () => {
  const result = check(increments(racyAdd));

  test('a violation has columns per thread, source lines and a token', () => {
    const text = String(result);
    expect(text).toContain('violation (final)');
    expect(text).toMatch(/T0 +T1 +source/);
    expect(text).toContain('check.test.ts:');
    expect(text).toContain(`replay token: ${result.token}`);
    expect(result.trace.map(({ thread }) => thread)).toEqual([0, 1, 0, 1]);
  });

  test('the token replays the same violation', () => {
    const again = replay(increments(racyAdd), result.token);
    expect(again.kind).toBe('final');
    expect(again.trace).toEqual(result.trace);
  });

  test('a token of a repaired program is inconclusive, never verified', () => {
    const fixed = increments((array) => void Atomics.add(array, 0, 1));
    const token = check({ ...fixed, final: () => false }).token;
    const again = replay(fixed, token);
    expect(again.verdict).toBe('inconclusive');
  });

  test('assertVerified throws the report', () => {
    expect(() => assertVerified(result)).toThrow(NotVerifiedError);
    expect(() => assertVerified(result)).toThrow(/load shared\[0\] is 0/);
  });

  test('counts are given', () => {
    const verified = check(increments((array) => void Atomics.add(array, 0, 1)));
    expect(verified).toMatchObject({
      verdict: 'verified',
      states: 5,
      transitions: 4,
      terminal: 2,
      token: '',
    });
    expect(verified.trace).toEqual([]);
  });
});

describe('inconclusive, never passed', () => {
  const shape = { capacity: 2, startIndex: 0, pushes: 3, pops: 3 };

  test('at the limit of states', () => {
    const result = check({ ...spsc(shape), bounds: { states: 10 } });
    expect(result).toMatchObject({ verdict: 'inconclusive', kind: 'bound' });
  });

  test('with a preemption bound that cuts anything off', () => {
    const result = check({ ...spsc(shape), bounds: { preemptions: 1 } });
    expect(result).toMatchObject({ verdict: 'inconclusive', kind: 'bound' });
    const whole = check({ ...spsc(shape), bounds: { preemptions: 100 } });
    expect(whole.verdict).toBe('verified');
  });

  test('a preemption bound still finds shallow bugs, in fewer states', () => {
    const two = [[['push', 1]], [['push', 2]], [['pop'], ['pop']]] as const;
    const bounded = check({ ...mpmc(2, two, 'stale sequence'), bounds: { preemptions: 2 } });
    expect(bounded.verdict).toBe('violation');
  });

  test('when a declared situation is never reached', () => {
    const result = check({ ...spsc(shape), cover: ['cas-failed'] });
    expect(result).toMatchObject({ verdict: 'inconclusive', kind: 'uncovered' });
    expect(result.message).toContain('cas-failed');
  });

  test('when a call may time out again and again', () => {
    const result = check({
      setup: cells,
      threads: [
        {
          run(array: Int32Array) {
            while (Atomics.load(array, 0) === 0) Atomics.wait(array, 0, 0, 10);
          },
        },
        { run: (array: Int32Array) => void Atomics.store(array, 0, 1) },
      ],
    });
    expect(result).toMatchObject({ verdict: 'inconclusive', kind: 'bound' });
  });

  test('when a thread depends on something else', () => {
    let calls = 0;
    const result = check({
      setup: cells,
      threads: [{ run: (array: Int32Array) => Atomics.add(array, calls++ % 4, 1) }],
    });
    expect(result).toMatchObject({ verdict: 'inconclusive', kind: 'nondeterminism' });
  });
});

describe('coverage', () => {
  test('names places that must be reached', () => {
    function hop(array: Int32Array): number {
      return Atomics.load(array, 0);
    }
    function never(array: Int32Array): number {
      return Atomics.load(array, 1);
    }
    const scenario = (sites: readonly string[]) =>
      check({
        setup: cells,
        threads: [{ run: (array) => (hop(array) === 0 ? 0 : never(array)) }],
        sites,
      });
    const reached = scenario(['hop']);
    expect(reached.verdict).toBe('verified');
    expect(reached.coverage['site hop']).toBe(1);
    const missed = scenario(['hop', 'never', 'no-such-file.ts:1']);
    expect(missed).toMatchObject({ verdict: 'inconclusive', kind: 'uncovered' });
    expect(missed.message).toContain('site never, site no-such-file.ts:1');
  });

  test('counts nothing on paths that do not exist', () => {
    // T1 reads 1 too early only if T0 writes it without knowing of the read; here it always knows.
    const result = outcomes({
      setup: cells,
      threads: [
        {
          run(array: Int32Array) {
            if (Atomics.load(array, 1) === 1) array[0] = 1;
          },
        },
        {
          attach: (array: Int32Array) => ({
            peek() {
              const value = array[0];
              Atomics.store(array, 1, 1);
              return value;
            },
          }),
          ops: [['peek']],
        },
      ],
      racy: (array) => [{ view: array.subarray(0, 1) }],
      cover: { early: ({ result: value }) => value === 1 },
    });
    expect(result.kind).toBe('uncovered');
  });

  test('labels of your own and built-in ones are counted', () => {
    const result = check({
      ...mpmc(2, [[['push', 1]], [['push', 2]], [['pop']]]),
      cover: {
        'cas-failed': true,
        empty: ({ name, result: value }) => name === 'pop' && value === undefined,
      },
    });
    assertVerified(result);
    expect(result.coverage['empty']).toBeGreaterThan(0);
    expect(result.coverage['cas-failed']).toBeGreaterThan(0);
  });
});

describe('waiting', () => {
  const spin = (pause: boolean) => ({
    setup: cells,
    threads: [
      {
        run(array: Int32Array) {
          while (Atomics.load(array, 0) === 0) {
            if (pause) (Atomics as unknown as { pause(): void }).pause();
          }
        },
      },
      { run: (array: Int32Array) => void Atomics.store(array, 0, 1) },
    ],
  });

  test('a spin loop with pause is finite', () => {
    assertVerified(check({ ...spin(true), cover: ['paused'] }));
  });

  test('a spin loop without pause is reported, not truncated', () => {
    expect(check(spin(false)).kind).toBe('livelock');
  });

  test('spinning for what never comes is a livelock', () => {
    const [spinner] = spin(true).threads;
    expect(check({ setup: cells, threads: [spinner!], bounds: { opSteps: 50 } }).kind).toBe(
      'livelock',
    );
  });

  test('a loop that counts its turns needs pause: step', () => {
    const counting = (pause: 'sleep' | 'step') =>
      check({
        setup: cells,
        threads: [
          {
            run(array: Int32Array) {
              for (let turn = 0; turn < 2; turn++) {
                if (Atomics.load(array, 0) === 1) return true;
                (Atomics as unknown as { pause(): void }).pause();
              }
              return false;
            },
          },
          { run: (array: Int32Array) => void Atomics.load(array, 1) },
        ],
        pause,
      });
    expect(counting('sleep')).toMatchObject({ verdict: 'inconclusive', kind: 'bounded-spin' });
    assertVerified(counting('step'));
  });

  test('two that wait for each other are deadlocked; mayBlock allows it', () => {
    const sleeper = (own: number) => ({
      run(array: Int32Array) {
        Atomics.wait(array, own, 0);
        Atomics.store(array, 1 - own, 1);
        Atomics.notify(array, 1 - own);
      },
    });
    const scenario = { setup: cells, threads: [sleeper(0), sleeper(1)] };
    expect(check(scenario).kind).toBe('deadlock');
    const allowed = scenario.threads.map((thread) => ({ ...thread, mayBlock: true }));
    assertVerified(check({ ...scenario, threads: allowed }));
  });

  test('wait and notify order what they separate', () => {
    assertVerified(
      check({
        setup: cells,
        threads: [
          {
            run(array: Int32Array) {
              if (Atomics.wait(array, 0, 0) === 'ok') return array[1];
              return Atomics.load(array, 0);
            },
          },
          {
            run(array: Int32Array) {
              array[1] = 5;
              Atomics.store(array, 0, 1);
              Atomics.notify(array, 0);
            },
          },
        ],
      }),
    );
  });
});

describe('death', () => {
  const lock = (crash: boolean) => ({
    setup: cells,
    threads: [0, 1].map(() => ({
      crash,
      run(array: Int32Array) {
        while (Atomics.compareExchange(array, 0, 0, 1) !== 0) Atomics.wait(array, 0, 1);
        Atomics.add(array, 1, 1);
        Atomics.store(array, 0, 0);
        Atomics.notify(array, 0, 1);
      },
    })),
  });

  test('a lock survives as long as nobody dies', () => {
    assertVerified(check(lock(false)));
    expect(check(lock(true))).toMatchObject({ verdict: 'violation', kind: 'lost-wakeup' });
  });

  test('a lock-free counter survives deaths', () => {
    assertVerified(
      check({
        setup: cells,
        threads: [0, 1].map(() => ({
          crash: true,
          run: (array: Int32Array) => Atomics.add(array, 0, 1),
        })),
        cover: ['crashed'],
      }),
    );
  });

  test('a call cut short by death may or may not have happened', () => {
    const shape = { capacity: 2, startIndex: 0, pushes: 2, pops: 3 };
    const scenario = spsc(shape);
    const threads = scenario.threads.map((thread) => ({ ...thread, crash: true }));
    assertVerified(check({ ...scenario, threads }));
  });
});

describe('exceptions and invariants', () => {
  test('an exception of the program is a violation', () => {
    const result = check({
      setup: cells,
      threads: [{ run: (array: Int32Array) => void Atomics.load(array, 99) }],
    });
    expect(result).toMatchObject({ verdict: 'violation', kind: 'exception' });
  });

  test('a catch-all in the program does not catch the checker', () => {
    const result = outcomes({
      setup: cells,
      threads: [
        {
          run(array: Int32Array) {
            try {
              return Atomics.load(array, 0);
            } catch {
              return 'caught';
            }
          },
        },
      ],
    });
    expect([...result.outcomes]).toEqual(['0']);
  });

  test('what invariant and final write is gone when they are called again', () => {
    const used = (array: Int32Array): unknown => {
      const found = Atomics.add(array, 2, 1); // a word that no thread writes
      return found === 0 || `found ${found}`;
    };
    const scenario = {
      setup: cells,
      threads: [
        { run: (array: Int32Array) => Atomics.add(array, 0, 1) },
        { run: (array: Int32Array) => Atomics.store(array, 0, 5) },
      ],
    };
    assertVerified(check({ ...scenario, final: used }));
    assertVerified(check({ ...scenario, invariant: used }));
  });

  test('an invariant holds in every state', () => {
    const scenario = {
      setup: cells,
      threads: [
        {
          run(array: Int32Array) {
            Atomics.add(array, 0, 1);
            Atomics.add(array, 1, 1);
          },
        },
      ],
      invariant: (array: Int32Array) => array[0] === array[1],
    };
    expect(check(scenario)).toMatchObject({ verdict: 'violation', kind: 'invariant' });
  });
});

describe('wrong scenarios', () => {
  test.each([
    ['no threads', () => check({ setup: cells, threads: [] })],
    ['nine threads', () => check({ setup: cells, threads: new Array(9).fill({ run: () => 0 }) })],
    ['an unknown operation', () => check({ setup: cells, threads: [{ ops: [['fly']] }] })],
    ['a promise in check', () => check({ setup: cells, threads: [{ run: async () => 0 }] })],
    [
      'an unknown built-in',
      () => check({ setup: cells, threads: [{ run: () => 0 }], cover: { full: true } }),
    ],
    [
      'a spec without ops',
      () => check({ setup: cells, threads: [{ run: () => 0 }], spec: fifo({ capacity: 1 }) }),
    ],
    [
      'allocation in a thread',
      () => check({ setup: cells, threads: [{ run: () => new SharedArrayBuffer(4) }] }),
    ],
  ])('%s: a ScenarioError with a code', (_, run) => {
    expect(run).toThrow(ScenarioError);
    expect(run).toThrow(expect.objectContaining({ code: 'ERR_INTERLEAVE_SCENARIO' }));
  });

  test.each([
    ['Math.random', () => Math.random()],
    ['setInterval', () => setInterval(() => undefined, 1)],
    ['MessageChannel', () => new MessageChannel()],
    [
      'growing',
      (array: Int32Array) => (array.buffer as unknown as { grow(bytes: number): void }).grow(99),
    ],
  ])('%s: an error, not silence', (_, run) => {
    expect(() => check({ setup: cells, threads: [{ run }] })).toThrow(UnmodelledError);
  });

  test.each(['', 'il1-3-0', 'il1-2-!', 'x'])('token %j: a TokenError', (token) => {
    expect(() => replay(increments(racyAdd), token)).toThrow(TokenError);
  });

  test('a token of another program', () => {
    expect(() => replay(increments(racyAdd), 'il1-2-0*9')).toThrow(ScenarioError);
  });

  test('a fingerprint that hides state', () => {
    const shape = { capacity: 2, startIndex: 0, pushes: 4, pops: 4 };
    expect(() => check({ ...spsc(shape), fingerprint: () => 0 })).toThrow(ScenarioError);
  });
});

test('globals are as before afterwards, also after an error', async () => {
  const before = [
    Atomics,
    SharedArrayBuffer,
    Int32Array,
    DataView,
    performance,
    setTimeout,
    Date.now,
    Math.random,
  ];
  check(increments(racyAdd));
  expect(() => check({ setup: cells, threads: [{ run: () => Math.random() }] })).toThrow();
  await checkAsync(increments(racyAdd));
  const after = [
    Atomics,
    SharedArrayBuffer,
    Int32Array,
    DataView,
    performance,
    setTimeout,
    Date.now,
    Math.random,
  ];
  expect(after.map((value, index) => value === before[index])).not.toContain(false);
});

test('private fields and closures keep histories apart', () => {
  class Hidden {
    #next = 0;
    readonly array: Int32Array;
    constructor(array: Int32Array) {
      this.array = array;
    }
    push(value: number): boolean {
      if (this.#next > 1) return false;
      Atomics.store(this.array, this.#next++, value);
      return true;
    }
  }
  const result = check({
    setup: cells,
    threads: [
      {
        attach: (array) => new Hidden(array),
        ops: [
          ['push', 1],
          ['push', 2],
          ['push', 3],
        ],
      },
    ],
    spec: twoPhaseFifo({ capacity: 2 }),
  });
  assertVerified(result);
});

describe('when a call happens', () => {
  /** A flag that `look` caches; `recall` returns what was cached, reading words that nobody else uses. */
  class Flag {
    readonly words: Int32Array;
    readonly own: number;
    constructor(words: Int32Array, own: number) {
      this.words = words;
      this.own = own;
    }
    set(): void {
      Atomics.store(this.words, 0, 1);
    }
    look(): number {
      const seen = Atomics.load(this.words, 0);
      this.words[this.own] = seen;
      return seen;
    }
    recallPlain(): number {
      return this.words[this.own]!;
    }
    recallAtomic(): number {
      return Atomics.load(this.words, this.own);
    }
  }
  const spec: Spec<number> = {
    initial: 0,
    step: (value, { name }) => (name === 'set' ? [[1, true, undefined]] : [[value, true, value]]),
  };
  test.each(['recallPlain', 'recallAtomic'])(
    '%s, a call that others cannot see, may still come late',
    (name) => {
      const scenario = (last: string) =>
        check({
          setup: () => new Int32Array(new SharedArrayBuffer(16)),
          threads: [
            { attach: (words: Int32Array) => new Flag(words, 1), ops: [['set']] },
            { attach: (words: Int32Array) => new Flag(words, 2), ops: [['look'], [last]] },
          ],
          spec,
        });
      const stale = scenario(name);
      expect(stale.kind).toBe('linearizability');
      expect(stale.message).toContain(`${name}() returned 0`);
      expect(scenario('look').verdict).toBe('verified');
    },
  );
});

test('code is never run on values that it cannot see', () => {
  // Reads back its own words, which are kept only once they are known to be read.
  let wrong = 0;
  const result = check({
    setup: cells,
    threads: [
      {
        run(array: Int32Array) {
          array[1] = 2;
          Atomics.store(array, 2, 3);
          const [length, end] = [array[1]!, Atomics.load(array, 2)];
          if (length === 0 || end === 0) wrong++;
          return Atomics.load(array, 0);
        },
      },
      { run: (array) => Atomics.store(array, 0, 1) },
    ],
  });
  assertVerified(result);
  expect(wrong).toBe(0);
});
