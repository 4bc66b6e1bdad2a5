/**
 * The batchers that are measured, each as a push function over the same sink.
 *
 * Each rival is used as its documentation shows, with the settings that fit a flood best: dataloader without its cache
 * (the keys are distinct), Pacer with a wait of 5 ms and a size (without one it copies all items at every push and its
 * timer never fires under steady input), OpenTelemetry's processor
 * with its default batch of 512 and a queue that never drops.
 */

import { batch, createBatcher, createLoader, type Loader } from '@millrace/batcher';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Batcher as PacerBatcher } from '@tanstack/pacer';
import atomicBatcher from 'atomic-batcher';
import DataLoader from 'dataloader';

/** Delivers items; may spend time. */
export type Sink = (items: readonly number[]) => void;
export type Push = (item: number) => void;
export interface Running {
  readonly push: Push;
  readonly stop: () => void | Promise<void>;
}
export type Start = (sink: Sink) => Running;

const nothing = (): void => {};

/** No batcher: what the load generator itself costs. */
export const none: Start = () => ({ push: nothing, stop: nothing });

/** What is measured around every batcher: the loop, and a push that stores. */
export const bareLoop: Start = () => {
  const ring = new Array<number>(1024).fill(0);
  let count = 0;
  return {
    push: (item) => {
      ring[count++ & 1023] = item;
    },
    stop: nothing,
  };
};

export const millrace: Start = (sink) => {
  const push = batch<number>((items) => sink(items));
  return { push, stop: () => void push.batcher.abort() };
};

/** A sum in place: no array, nothing allocated. */
export const millraceInPlace: Start = (sink) => {
  const batcher = createBatcher({
    merge: {
      create: () => ({ total: 0 }),
      append: (accumulator: { total: number }, item: number) => {
        accumulator.total += item;
      },
      clear: (accumulator) => {
        accumulator.total = 0;
      },
    },
    flush: (batch) => sink([batch.entries[0]!.value.total]),
  });
  const lane = batcher.lane(0);
  return { push: (item) => lane.push(item), stop: () => void batcher.abort() };
};

const uncached = (sink: Sink): Loader<number, number> =>
  createLoader<number, number>({
    cache: false,
    load: (keys) => {
      sink(keys);
      return Promise.resolve(keys);
    },
  });

const uncachedDataLoader = (sink: Sink): DataLoader<number, number> =>
  new DataLoader<number, number>(
    (keys) => {
      sink(keys);
      return Promise.resolve(keys);
    },
    { cache: false },
  );

export const millraceLoader: Start = (sink) => {
  const loader = uncached(sink);
  return { push: (item) => void loader.load(item), stop: nothing };
};

export const dataloader: Start = (sink) => {
  const loader = uncachedDataLoader(sink);
  return { push: (item) => void loader.load(item), stop: nothing };
};

/** Loads that share a loader which lives for one request, as servers have it. */
const LOADS_PER_REQUEST = 100;

const perRequest =
  (create: (sink: Sink) => { load(key: number): Promise<number> }): Start =>
  (sink) => {
    let loader = create(sink);
    return {
      push: (item) => {
        if (item % LOADS_PER_REQUEST === 0) loader = create(sink);
        void loader.load(item);
      },
      stop: nothing,
    };
  };

export const millraceLoaderPerRequest = perRequest(uncached);

export const dataloaderPerRequest = perRequest(uncachedDataLoader);

/** Each key twice, and a cache that lives for a request, as servers use both. */
export const millraceCached: Start = (sink) => {
  const loader = createLoader<number, number>({
    load: (keys) => {
      sink(keys);
      loader.clearAll();
      return Promise.resolve(keys);
    },
  });
  return { push: (item) => void loader.load(item >> 1), stop: nothing };
};

export const dataloaderCached: Start = (sink) => {
  const loader: DataLoader<number, number> = new DataLoader((keys) => {
    sink(keys);
    loader.clearAll();
    return Promise.resolve(keys);
  });
  return { push: (item) => void loader.load(item >> 1), stop: nothing };
};

/** What no `load()` can do without: a promise for each key, settled from the results, after the promise reactions. */
export const barePromises: Start = (sink) => {
  interface Load {
    readonly key: number;
    readonly resolve: (value: number) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Load[] = [];
  const settled = Promise.resolve();
  const send = (): void => {
    const loads = waiting;
    const keys = loads.map((load) => load.key);
    waiting = [];
    sink(keys);
    void Promise.resolve(keys).then((values) => {
      for (let i = 0; i < loads.length; i++) loads[i]!.resolve(values[i]!);
    });
  };
  const { nextTick } = process;
  return {
    push: (item) => {
      if (waiting.length === 0) void settled.then(() => nextTick(send));
      void new Promise<number>((resolve, reject) => {
        waiting.push({ key: item, resolve, reject });
      });
    },
    stop: nothing,
  };
};

export const pacer: Start = (sink) => {
  const batcher = new PacerBatcher<number>((items) => sink(items), { wait: 5, maxSize: 1000 });
  return { push: (item) => batcher.addItem(item), stop: () => batcher.flush() };
};

export const atomic: Start = (sink) => {
  const append = atomicBatcher((items: number[], done: (error?: unknown) => void) => {
    sink(items);
    setImmediate(done);
  });
  return { push: append, stop: nothing };
};

/** What most terminals hand-roll: the first item starts a timer of 5 ms. */
export const timer5: Start = (sink) => {
  let items: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    const batch = items;
    items = [];
    timer = undefined;
    sink(batch);
  };
  return {
    push: (item) => {
      items.push(item);
      timer ??= setTimeout(flush, 5);
    },
    stop: () => {
      if (timer !== undefined) {
        clearTimeout(timer);
        flush();
      }
    },
  };
};

/** As microtask batchers do: everything at the end of the tick. */
export const microtask: Start = (sink) => {
  let items: number[] = [];
  return {
    push: (item) => {
      if (items.length === 0) {
        queueMicrotask(() => {
          const batch = items;
          items = [];
          sink(batch);
        });
      }
      items.push(item);
    },
    stop: nothing,
  };
};

interface Span {
  readonly item: number;
  readonly resource: { readonly asyncAttributesPending: boolean };
  readonly spanContext: () => { readonly traceFlags: number };
}

const sampled = { traceFlags: 1 };
const spanContext = (): typeof sampled => sampled;
const resource = { asyncAttributesPending: false };

export const openTelemetry: Start = (sink) => {
  const processor = new BatchSpanProcessor(
    {
      export: (spans: readonly unknown[], done: (result: { code: number }) => void) => {
        sink((spans as readonly Span[]).map((span) => span.item));
        done({ code: 0 });
      },
      shutdown: () => Promise.resolve(),
    } as unknown as ConstructorParameters<typeof BatchSpanProcessor>[0],
    { maxQueueSize: 1 << 20, scheduledDelayMillis: 5 },
  );
  return {
    push: (item) => {
      const span: Span = { item, resource, spanContext };
      processor.onEnd(span as unknown as Parameters<typeof processor.onEnd>[0]);
    },
    stop: () => processor.shutdown(),
  };
};

/** What no batcher that hands its sink an array can do without: one push into it for each item, and a call a tick. */
export const bareArray: Start = (sink) => {
  let items: number[] = [];
  const flush = (): void => {
    const batch = items;
    items = [];
    sink(batch);
  };
  return {
    push: (item) => {
      if (items.push(item) === 100) flush();
    },
    stop: flush,
  };
};

/**
 * What a batcher of our contract can't do without, and nothing else: a cap, an array of the sink's own, its entry's age
 * (a reading of the clock at the arrival and at the flush), the end of the tick, a sink that throws or is asynchronous.
 */
export const bareContract: Start = (sink) => {
  let items: number[] = [];
  let arrivedMs = 0;
  let busy = false;
  const clock = performance;
  const settled = Promise.resolve();
  const entry = { value: items, count: 0, ageMs: 0 };
  const deliver = ({ value }: typeof entry): unknown => sink(value);
  const done = (): void => {
    busy = false;
  };
  const flush = (): void => {
    if (busy || items.length === 0) return;
    entry.value = items;
    entry.count = items.length;
    entry.ageMs = clock.now() - arrivedMs;
    items = [];
    busy = true;
    try {
      const result = deliver(entry) as PromiseLike<unknown> | undefined;
      if (typeof result?.then === 'function') void result.then(done, done);
      else busy = false;
    } catch {
      busy = false;
    }
  };
  return {
    push: (item) => {
      if (items.length === 0) {
        arrivedMs = clock.now();
        void settled.then(flush);
      }
      if (items.push(item) >= 65536) flush();
    },
    stop: flush,
  };
};
