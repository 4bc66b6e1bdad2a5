/**
 * What the scenarios of this folder are made of: threads that make calls on handles, and how the calls are judged.
 *
 * Records carry one value and a check byte, so that a torn record shows; waits don't spin, because a spin loop
 * with a budget only multiplies states. Statistics that a handle keeps for itself are reset between calls,
 * so that they don't keep equal states apart.
 */
import type {
  CheckResult,
  Operation,
  ReturnedCall,
  Scenario,
  ScriptedThread,
} from '@millrace/interleave';
import type * as Ring from '@millrace/ringbuffer';
import type { CopyKernel, RingHandle } from '@millrace/ringbuffer';

/** The code under proof: the package, or the package with a mistake in it. */
export type Package = typeof Ring;

/** A scenario, for any code. */
export interface Definition {
  readonly name: string;
  readonly deep?: boolean;
  readonly run: (ring: Package) => CheckResult | Promise<CheckResult>;
}

/** Which end is killed at any point. */
export type Killed = 'producer' | 'consumer';

const checkByte = 0xa5;
export const record = (value: unknown): Uint8Array =>
  Uint8Array.of(value as number, 0, 0, checkByte);

/** One array per handle, pushed from or popped into again and again: what handles have short cuts for. */
const arrays = new WeakMap<object, Uint8Array>();
function arrayOf(handle: object): Uint8Array {
  let array = arrays.get(handle);
  if (array === undefined) {
    array = new Uint8Array(new ArrayBuffer(8), 4, 4); // agrees with the payloads' places modulo 8: no pad
    array[3] = checkByte;
    arrays.set(handle, array);
  }
  return array;
}
function recordOf(handle: object, value: unknown): Uint8Array {
  const array = arrayOf(handle);
  array[0] = value as number;
  return array;
}
export const valueIn = (bytes: Uint8Array | undefined): number | string | undefined =>
  bytes === undefined ? undefined : bytes[3] === checkByte ? bytes[0]! : `torn: ${bytes}`;

/** Any handle of this package. */
interface Handle {
  tryPush(source: Uint8Array): boolean;
  pushSync(source: Uint8Array): boolean;
  push(source: Uint8Array): Promise<boolean>;
  claim(length: number): number;
  commit(): void;
  readonly bytes: Uint8Array;
  tryPop(): Uint8Array | undefined;
  tryPopInto(target: Uint8Array): number;
  drain(callback: (bytes: Uint8Array, from: number, to: number) => void, limit: number): number;
  peek(): number;
  readonly lost: number;
  readonly start: number;
  readonly end: number;
  release(): void;
  popSync(): Uint8Array | undefined;
  pop(): Promise<Uint8Array | undefined>;
  readySync(options?: { bytes: number }): boolean;
  close(): void;
}

/** What a body returns when it finds the other end gone. */
export const ended = (body: () => unknown): unknown => {
  try {
    return body();
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_RING_CLOSED') return 'closed';
    throw error;
  }
};

const statistics = ['wakes', 'fullHits', 'highWater', 'pushed', 'popped', 'dropped'];

/** Statistics don't matter to what a handle does: without them, more of its states are equal. */
function forget(handle: object): void {
  const fields = handle as Record<string, unknown>;
  for (const field of statistics) if (field in fields) fields[field] = 0;
  const waiter = fields['waiter'] as { parks: number } | undefined;
  if (waiter !== undefined) waiter.parks = 0;
}

export function call(handle: object, name: string, args: readonly unknown[]): unknown {
  const result = callOf(handle, name, args);
  if (result instanceof Promise) {
    return result.then((value) => {
      forget(handle);
      return value;
    });
  }
  forget(handle);
  return result;
}

function callOf(handle: object, name: string, [value]: readonly unknown[]): unknown {
  const end = handle as Handle;
  switch (name) {
    case 'tryPush':
      return end.tryPush(recordOf(handle, value));
    case 'claim': {
      const at = end.claim(4);
      if (at < 0) return false;
      for (const [index, byte] of record(value).entries()) end.bytes[at + index] = byte;
      end.commit();
      return true;
    }
    case 'tryPop':
      return valueIn(end.tryPop());
    case 'popInto':
      return end.tryPopInto(arrayOf(handle)) < 0 ? undefined : valueIn(arrayOf(handle));
    case 'drain': {
      let taken: number | string | undefined;
      end.drain((bytes, from, to) => {
        taken = valueIn(bytes.slice(from, to));
      }, 1);
      return taken;
    }
    case 'peek': {
      if (end.peek() < 0) return undefined;
      const taken = valueIn(end.bytes.slice(end.start, end.end));
      end.release();
      return taken;
    }
    case 'put':
      end.pushSync(recordOf(handle, value));
      return undefined;
    case 'popCounted': {
      const taken = valueIn(end.tryPop());
      return end.lost > 8 ? `${taken} after ${end.lost}` : taken;
    }
    case 'take':
      return valueIn(end.popSync());
    case 'putOrEnd':
      return ended(() => end.pushSync(recordOf(handle, value)));
    case 'takeEight':
      return end.readySync({ bytes: 8 }) ? valueIn(end.tryPop()) : undefined;
    case 'takeSixteen':
      return end.readySync({ bytes: 16 }) ? valueIn(end.tryPop()) : undefined;
    case 'putLong':
      end.pushSync(Uint8Array.of(value as number, 0, 0, checkByte, 0, 0, 0, 0, 0, 0, 0, 0));
      return undefined;
    case 'pushOrEnd':
      return ended(() => end.tryPush(recordOf(handle, value)));
    case 'takeReady':
      return end.readySync() ? valueIn(end.tryPop()) : undefined;
    case 'putAsync':
      return end.push(record(value)).then(() => undefined);
    case 'takeAsync':
      return end.pop().then(valueIn);
    default:
      end.close();
      return undefined;
  }
}

export const repeat = (count: number, name: string, from = 1): Operation[] =>
  Array.from({ length: count }, (_, index) => [name, from + index]);

export const push = (...values: number[]): Operation[] => values.map((value) => ['tryPush', value]);

/** What a name says of where traffic begins. */
export const from = (startIndex: number): string =>
  startIndex === 0 ? '' : `, from ${startIndex}`;

export const options = (copy: CopyKernel = 'words') => ({ copy, spin: 0, ref: false });

export type Attach = (handle: RingHandle) => object;
export const thread = (attach: Attach, ops: readonly Operation[]): ScriptedThread<RingHandle> => ({
  attach,
  ops,
  call,
});
export const producer = (ring: Package, ops: readonly Operation[], copy?: CopyKernel) =>
  thread((handle) => ring.attachProducer(handle, options(copy)), ops);
export const consumer = (ring: Package, ops: readonly Operation[], copy?: CopyKernel) =>
  thread((handle) => ring.attachConsumer(handle, options(copy)), ops);

export const calls = {
  push: ['tryPush', 'claim'],
  pop: ['tryPop', 'popInto', 'drain', 'peek'],
  take: ['take', 'takeReady', 'takeEight', 'takeSixteen', 'takeAsync'],
  put: ['put', 'putLong', 'putAsync'],
};

export const isFull = ({ name, result }: ReturnedCall): boolean =>
  calls.push.includes(name) && result === false;
export const isEmpty = ({ name, result }: ReturnedCall): boolean =>
  calls.pop.includes(name) && result === undefined;

export const base = (
  name: string,
  scenario: Omit<Scenario<RingHandle>, 'name' | 'fingerprint'>,
): Scenario<RingHandle> => ({
  name,
  fingerprint: 'fields',
  bounds: { states: 30_000_000 },
  ...scenario,
});
