// Goal: what the guide promises and no other file proves: how fast retries come, what a thrown decision does, what
// `overhead` buys, that pressure has hysteresis, what the batcher tells about itself, and which policy wins a trace.
// Method: virtual time; every example fails when its line of the batcher is taken out.

import { BatcherFlushError, concat, createBatcher, last, list } from '@millrace/batcher';
import {
  compare,
  comparisonSvg,
  configurations,
  TraceRecorder,
  virtualScheduler,
} from '@millrace/batcher/sim';
import { expect, it, onTestFinished, vi } from 'vitest';

it('backs off twice as long each time, up to the bound, at a random part of it', () => {
  const scheduler = virtualScheduler();
  const times: number[] = [];
  const parts = [1, 1, 0.5, 1, 1];
  const batcher = createBatcher({
    merge: list<number, string>(),
    scheduler,
    retry: { attemptsMax: 6, delayMs: 10, delayMsMax: 50 },
    random: () => parts[times.length - 1]!,
    flush: () => {
      times.push(scheduler.now());
      throw new Error('down');
    },
  });
  batcher.closed.catch(() => {});
  batcher.push(1, 'k');
  scheduler.advance(1000);
  const waits = times.slice(1).map((time, i) => time - times[i]!);
  expect(waits).toEqual([10, 20, 20, 50, 50]); // 10, 20, half of 40, 50 for 80, 50 for 160
});

it('lets onError ask for another try, and fails with what it throws', async () => {
  const scheduler = virtualScheduler();
  let tries = 0;
  const make = (onError: () => 'retry', isUp: () => boolean) =>
    createBatcher({
      merge: list<number, string>(),
      scheduler,
      retry: { attemptsMax: 1 },
      onError,
      flush: () => {
        tries++;
        if (!isUp()) throw new Error('down');
      },
    });
  const patient = make(
    () => 'retry',
    () => tries >= 8,
  );
  patient.push(1, 'k');
  await scheduler.advanceAsync(60_000);
  expect(tries).toBe(8);
  expect(patient.stats()).toMatchObject({ delivered: 1, failures: 7 });
  const broken = make(
    () => {
      throw new Error('cannot decide');
    },
    () => false,
  );
  const closed = broken.closed.catch((error: unknown) => error);
  broken.push(1, 'k');
  await scheduler.advanceAsync(10);
  const error = await closed;
  expect(error).toBeInstanceOf(BatcherFlushError);
  expect((error as Error).cause).toMatchObject({ message: 'cannot decide' });
});

it('spends at most the share of CPU that overhead allows, and less of it for a smaller one', () => {
  const share = (overhead: number): number => {
    const scheduler = virtualScheduler();
    let flushes = 0;
    const batcher = createBatcher({
      merge: list<number, string>(),
      delayMsMax: 1000,
      overhead,
      scheduler,
      flush: () => {
        flushes++;
        return { costMs: 0.05 };
      },
    });
    for (let i = 0; i < 20_000; i++) {
      batcher.push(i, 'k');
      scheduler.advance(0.02);
    }
    return (flushes * 0.05) / 400;
  };
  expect(share(0.1)).toBeLessThan(0.1 / 3);
  expect(share(0.01)).toBeLessThan(0.01 / 3);
  expect(share(0.01)).toBeLessThan(share(0.1) / 3);
});

it('P2: relieves a key only when its backlog is down to a quarter', async () => {
  const scheduler = virtualScheduler();
  const finish: (() => void)[] = [];
  const finishNext = async (): Promise<void> => {
    await scheduler.advanceAsync(2); // a sink of 1,000 bytes in 2 ms
    finish.shift()!();
    await scheduler.advanceAsync(0);
  };
  const atRelief: [bytes: number, limit: number][] = [];
  const batcher = createBatcher({
    merge: concat<string>(),
    hold: 'none',
    bytesMax: 1000,
    scheduler,
    onPressure: (_key, isPressed) => {
      if (!isPressed) atRelief.push([batcher.bytes, batcher.stats().limitBytes]);
    },
    flush: () => new Promise<void>((resolve) => finish.push(resolve)),
  });
  while (batcher.push(new Uint8Array(100), 'k')) {}
  await scheduler.advanceAsync(0);
  let before = 0;
  while (atRelief.length === 0) {
    expect(batcher.push(new Uint8Array(1), 'k')).toBe(false); // all the while
    before = batcher.bytes;
    await finishNext();
  }
  const [bytes, limit] = atRelief[0]!;
  expect(bytes).toBeLessThanOrEqual(limit / 4);
  expect(before).toBeGreaterThan(limit / 4);
  expect(batcher.stats().pressed).toBe(0);
  batcher.abort();
});

it('seals entries of a backlog by their bytes, however fast they come', async () => {
  const scheduler = virtualScheduler();
  const entries: number[] = [];
  const finish: (() => void)[] = [];
  const batcher = createBatcher({
    merge: concat<string>(),
    hold: 'none',
    bytesMax: 8000,
    scheduler,
    flush: (batch) => {
      for (const entry of batch.entries) entries.push(entry.bytes);
      return new Promise<void>((resolve) => finish.push(resolve));
    },
  });
  for (let i = 0; i < 1500; i++) batcher.push(new Uint8Array(10), 'k'); // one tick
  for (let i = 0; i < 20 && batcher.bytes > 0; i++) {
    finish.shift()?.();
    await scheduler.advanceAsync(0);
  }
  expect(entries.reduce((a, b) => a + b)).toBe(15_000);
  expect(Math.max(...entries)).toBeLessThanOrEqual(8000 / 8);
});

it('tells what it has learned of the sink and of the arrivals', () => {
  const scheduler = virtualScheduler();
  const batcher = createBatcher({
    merge: concat<string>(),
    overhead: 0.2,
    scheduler,
    flush: (batch) => ({ costMs: 0.1 + batch.bytes * 1e-5 }),
  });
  for (let i = 0; i < 3000; i++) {
    batcher.push(new Uint8Array(100 + ((i * 7919) % 4000)), 'k');
    scheduler.advance(i % 300 === 0 ? 20 : 0.05);
  }
  const { fixedMs, perByteMs, tauMs, holdMs, trust } = batcher.stats();
  expect(fixedMs).toBeGreaterThan(0.09);
  expect(fixedMs).toBeLessThan(0.25); // batches of like size: the model counts what it can't tell apart as fixed
  expect(perByteMs).toBeGreaterThan(0.2e-5);
  expect(perByteMs).toBeLessThan(1.1e-5);
  expect(tauMs).toBeCloseTo(fixedMs / 0.2, 9);
  expect(holdMs).toBeGreaterThan(0.05); // the next one comes in 0.05 ms
  expect(holdMs).toBeLessThanOrEqual(1.54 * tauMs);
  expect(trust).toBe(1);
});

it('keeps at most countMax keys in a batch of replaced items', async () => {
  const scheduler = virtualScheduler();
  const sizes: number[] = [];
  const finish: (() => void)[] = [];
  const batcher = createBatcher({
    merge: last<number, number>(),
    hold: 'none',
    countMax: 4,
    scheduler,
    flush: (batch) => {
      sizes.push(batch.entries.length);
      return new Promise<void>((resolve) => finish.push(resolve));
    },
  });
  for (let round = 0; round < 3; round++) {
    for (let key = 0; key < 30; key++) batcher.push(round, key);
  }
  for (let i = 0; i < 40 && batcher.count + finish.length > 0; i++) {
    finish.shift()?.();
    await scheduler.advanceAsync(0);
  }
  expect(batcher.count).toBe(0);
  expect(Math.max(...sizes)).toBe(4);
});

it('finds the policy that wins a trace: holding for pairs, flushing at once for single keys', () => {
  const record = (gaps: readonly number[]): TraceRecorder => {
    const recorder = new TraceRecorder(4000);
    let at = 0;
    for (let i = 0; i < 4000; i++) {
      recorder.arrived(at, 40);
      at += gaps[i % gaps.length]!;
    }
    return recorder;
  };
  const rowsOf = (gaps: readonly number[]) =>
    compare([record(gaps).workload('mine')], configurations.ipc);
  const ratios = (gaps: readonly number[]): Map<string, number> =>
    new Map(rowsOf(gaps).map((row) => [row.policy, row.worst]));
  const pairs = ratios([0.1, 50]);
  expect(pairs.get('millrace')).toBeLessThan(1.1);
  expect(pairs.get('millrace')).toBeLessThan(pairs.get('greedy')!);
  const keys = ratios([120]);
  expect(keys.get('millrace')).toBeCloseTo(1, 9);
  expect(keys.get('linger 5 ms')).toBeGreaterThan(5);
  const svg = comparisonSvg(rowsOf([0.1, 50]), 'mine');
  for (const policy of pairs.keys()) expect(svg).toContain(policy.slice(0, 8));
});

it('B5: a hook that throws is an error nobody caught, and the batcher goes on', () => {
  const later: (() => void)[] = [];
  vi.stubGlobal('queueMicrotask', (task: () => void) => later.push(task));
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const scheduler = virtualScheduler();
  const batches: number[] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    countMax: 2,
    hold: 'none',
    sojournMs: 0,
    bytesMax: 2,
    scheduler,
    onDelivered: () => {
      throw new Error('onDelivered');
    },
    onPressure: (key) => {
      throw new Error(`onPressure ${key}`);
    },
    flush: ({ count }) => void batches.push(count),
  });
  for (let i = 0; i < 5; i++) batcher.push(i, 'k');
  scheduler.endTick();
  expect(batches).toEqual([2, 2, 1]);
  expect(later).toHaveLength(3);
  for (const task of later) expect(task).toThrow('onDelivered');
});

it('B4: parts of a split batch count until they are delivered', async () => {
  const scheduler = virtualScheduler();
  let isDown = true;
  const batcher = createBatcher({
    merge: list<number, string>(),
    pendingBytesMax: 10,
    retry: { attemptsMax: 1, delayMs: 5 },
    random: () => 0.5,
    onError: () => 'split',
    scheduler,
    flush: () => {
      if (isDown) throw new Error('down');
    },
  });
  for (let i = 0; i < 8; i++) batcher.push(i, 'k');
  batcher.flush();
  expect([batcher.bytes, batcher.count]).toEqual([8, 4]); // four wait for another try, four for theirs
  batcher.push(8, 'k');
  batcher.push(9, 'k');
  expect(() => batcher.push(10, 'k')).toThrow(/pendingBytesMax=10/);
  isDown = false;
  await scheduler.advanceAsync(1000);
  expect([batcher.bytes, batcher.count, batcher.stats().delivered]).toEqual([0, 0, 10]);
});

it('has caps without bound where asked to, and tells pressure all the same', () => {
  const scheduler = virtualScheduler();
  const batcher = createBatcher({
    merge: list<number, string>(),
    bytesMax: Number.POSITIVE_INFINITY,
    countMax: Number.POSITIVE_INFINITY,
    pendingBytesMax: Number.POSITIVE_INFINITY,
    scheduler,
    flush: ({ bytes }) => scheduler.burn(0.05 + bytes * 1e-5),
  });
  for (let i = 0; i < 50; i++) {
    for (let j = 0; j < 100 + i; j++) expect(batcher.push(j, 'k')).toBe(true);
    scheduler.advance(1);
  }
  const { limitBytes, drainBytesPerMs } = batcher.stats();
  expect(drainBytesPerMs).toBeGreaterThan(0);
  expect(limitBytes).toBeGreaterThan(0);
});

it('B6: an abort from inside its flush or onError is the end', async () => {
  for (const decision of ['retry', 'split', 'drop', 'fail', 'inside flush'] as const) {
    const scheduler = virtualScheduler();
    let flushes = 0;
    let returned = 0;
    const batcher = createBatcher({
      merge: list<number, string>(),
      retry: { attemptsMax: 1 },
      onDelivered: () => expect.fail('nothing was delivered'),
      scheduler,
      onError: () => {
        returned = batcher.abort().undelivered.length;
        return decision === 'inside flush' ? 'fail' : decision;
      },
      flush: () => {
        flushes++;
        if (decision !== 'inside flush') throw new Error('down');
        returned = batcher.abort().unsettled.length;
      },
    });
    batcher.push(1, 'k');
    scheduler.endTick();
    await scheduler.advanceAsync(1000);
    expect([decision, flushes, returned, batcher.state]).toEqual([decision, 1, 1, 'aborted']);
    await batcher.closed;
  }
});
