/**
 * The batching rules of other software, as policies.
 *
 * Each is a model of published behaviour and default constants, written from documentation; none is a port of the
 * code. Where a rule ignores the latency budget, `ignoresBudget` says so: its ratio may then fall below 1.
 */
import type { Policy, PolicyFactory } from './policy.ts';

/** A policy of a comparison. */
export interface NamedPolicy {
  /** Short name, for tables. */
  readonly name: string;
  /** What it models. */
  readonly description: string;
  /** Whether it may hold longer than the budget. */
  readonly ignoresBudget: boolean;
  /** Makes the policy. */
  readonly make: PolicyFactory;
}

const stateless =
  (due: Policy['due']): PolicyFactory =>
  () => ({ due });

/** Flushes each item alone. */
export const each: PolicyFactory = () => ({ due: (now) => now, take: () => 1 });

/** Flushes at the end of every tick while the sink is free: microtask batchers, and "smart" or natural batching. */
export const greedy: PolicyFactory = stateless((now) => now);

/** Returns the rule that flushes a fixed time after a batch's first item (us). */
export function linger(delay: number): PolicyFactory {
  return (cost) => ({
    due: (now, queue) =>
      queue.count >= cost.countMax || queue.bytes >= cost.bytesMax ? now : queue.oldest + delay,
  });
}

/** Returns the rule that restarts its timer with every item (us), with no other bound than the size. */
export function debounce(delay: number): PolicyFactory {
  return (cost) => ({
    due: (now, queue) => (queue.count >= cost.countMax ? now : queue.newest + delay),
  });
}

/** Returns the rule that waits for a number of items, however long it takes. */
export function size(count: number): PolicyFactory {
  return stateless((now, queue) => (queue.count >= count ? now : Number.POSITIVE_INFINITY));
}

/** Returns the rule of two timers: a quiet time after the newest item, an age bound for the oldest (us). */
export function twoTimers(quiet: number, age: number): PolicyFactory {
  return stateless((_now, queue) => Math.min(queue.newest + quiet, queue.oldest + age));
}

/** Returns the rule that flushes at once when the last flush is long enough ago, else at the pace (us). */
export function pace(interval: number): PolicyFactory {
  return () => {
    let last = Number.NEGATIVE_INFINITY;
    return {
      due: (now) => Math.max(now, last + interval),
      flushed: (now) => {
        last = now;
      },
    };
  };
}

/** Returns the rule of a log producer: a linger time (us) or a batch size in bytes, whichever comes first. */
export function lingerOrBytes(delay: number, bytes: number): PolicyFactory {
  return stateless((now, queue) => (queue.bytes >= bytes ? now : queue.oldest + delay));
}

/** Returns the rule that waits while data is unacknowledged, or for a full segment. */
export function nagle(roundTrip: number, segment = 1448): PolicyFactory {
  return () => {
    let acknowledged = Number.NEGATIVE_INFINITY;
    return {
      due: (now, queue) => (queue.bytes >= segment ? now : Math.max(now, acknowledged)),
      flushed: (now, _count, _bytes, duration) => {
        acknowledged = now + duration + roundTrip;
      },
    };
  };
}

/** Adaptive frame rate: at once below a threshold of throughput, else at 60 or 30 flushes a second. */
export const cadence: PolicyFactory = () => {
  const window = 200_000;
  let last = Number.NEGATIVE_INFINITY;
  let throughput = 0;
  let measured = 0;
  return {
    arrive: (now, _count, bytes) => {
      throughput = throughput * Math.exp((measured - now) / window) + (bytes * 1e6) / window;
      measured = now;
    },
    due: (now, queue) => {
      if (throughput < 1024) return now;
      const period = throughput < 10_000 ? 16_667 : 33_333;
      return Math.max(now, Math.min(queue.oldest + period, last + period));
    },
    flushed: (now) => {
      last = now;
    },
  };
};

/** Bridges refill gaps only while the consumer is busy, and only from 1 KiB on. */
export const gatherWhileBusy: PolicyFactory = () => {
  let busyUntil = -1;
  return {
    due: (now, queue) => {
      if (queue.bytes < 1024 || now >= busyUntil || queue.bytes >= 65_536) return now;
      return Math.min(queue.newest + 1000, queue.oldest + 3000, busyUntil);
    },
    flushed: (now, _count, _bytes, duration) => {
      busyUntil = now + duration;
    },
  };
};

/** Size target that grows by one while the budget holds and halves when it doesn't. */
export const additiveIncrease: PolicyFactory = (cost) => {
  let target = 1;
  return {
    due: (now, queue) => (queue.count >= target ? now : queue.oldest + cost.delayMax),
    flushed: (_now, _count, _bytes, _duration, age) => {
      target =
        age < 0.99 * cost.delayMax ? Math.min(target + 1, cost.countMax) : Math.max(1, target / 2);
    },
  };
};

/** Smoothed arrival rate and the square-root law of the economic lot size. */
export const squareRoot: PolicyFactory = (cost) => {
  const tau = cost.fixed / cost.overhead;
  let gap = 1e6;
  let last = Number.NEGATIVE_INFINITY;
  return {
    arrive: (now) => {
      if (now - last < 1e9) gap += 0.1 * (now - last - gap);
      last = now;
    },
    due: (now, queue) =>
      gap >= tau ? now : queue.oldest + Math.min(cost.delayMax, Math.sqrt(2 * tau * gap)),
  };
};

/** The deterministic 2-competitive rule for a known flush cost: hold for tau after the newest item. */
export const skiRental: PolicyFactory = (cost) => ({
  due: (_now, queue) =>
    Math.min(queue.newest + cost.fixed / cost.overhead, queue.oldest + cost.delayMax),
});

/** Profiles of interrupt moderation, climbed by the rates that each one brought. */
export const hillClimb: PolicyFactory = () => {
  const delays = [1, 8, 64, 128, 256];
  let profile = 2;
  let direction = 1;
  let flushes = 0;
  let items = 0;
  let since = 0;
  let before: { items: number; flushes: number } | undefined;
  const differs = (a: number, b: number): boolean => Math.abs(a - b) > 0.1 * b;
  return {
    due: (now, queue) => (queue.count >= 256 ? now : queue.oldest + delays[profile]!),
    flushed: (now, count) => {
      flushes++;
      items += count;
      if (flushes < 64) return;
      const ms = Math.max(1e-3, (now - since) / 1000);
      const rates = { items: items / ms, flushes: flushes / ms };
      if (before !== undefined) {
        const isDifferent =
          differs(rates.items, before.items) || differs(rates.flushes, before.flushes);
        const isBetter = differs(rates.items, before.items)
          ? rates.items > before.items
          : rates.flushes < before.flushes;
        if (isDifferent && !isBetter) direction = -direction;
        if (isDifferent) profile = Math.max(0, Math.min(delays.length - 1, profile + direction));
      }
      before = rates;
      flushes = 0;
      items = 0;
      since = now;
    },
  };
};

const named = (
  name: string,
  description: string,
  make: PolicyFactory,
  ignoresBudget = false,
): NamedPolicy => ({ name, description, make, ignoresBudget });

/** Returns the rules that the published tables compare, the law not among them. */
export function peerPolicies(): NamedPolicy[] {
  return [
    named('each item', 'no batching', each),
    named('greedy', 'end of tick or microtask: dataloader, batshit without window, LMAX', greedy),
    named('linger 1 ms', 'timer from the first item', linger(1000)),
    named('linger 5 ms', 'timer from the first item: VS Code terminal', linger(5000)),
    named('linger 16 ms', 'timer from the first item: a frame', linger(16_000), true),
    named('size 100', 'size only', size(100), true),
    named(
      'debounce 5 ms',
      'timer restarts with each item: TanStack Pacer wait',
      debounce(5000),
      true,
    ),
    named('Kafka 5 ms', 'linger.ms 5, batch.size 16 KiB', lingerOrBytes(5000, 16_384)),
    named('zellij 30 ms', 'leading edge, then a fixed pace', pace(30_000), true),
    named('foot', 'quiet 0.5 ms, age 8.3 ms', twoTimers(500, 8333), true),
    named(
      'WezTerm 3 ms',
      'poll again after each read',
      twoTimers(3000, Number.POSITIVE_INFINITY),
      true,
    ),
    named('Ghostty', 'gather while the parser is busy', gatherWhileBusy),
    named('iTerm2', 'adaptive frame rate', cadence, true),
    named('Nagle', 'round trip of 1 ms', nagle(1000)),
    named('Linux DIM', 'hill climbing over moderation profiles', hillClimb),
    named('AIMD', 'size target within the budget: Clipper', additiveIncrease),
    named('square root', 'smoothed rate, economic lot size', squareRoot),
    named('ski rental', 'hold tau, flush cost known', skiRental),
  ];
}
