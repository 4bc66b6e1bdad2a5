/**
 * The model's `Atomics`, in full: each function is one access on a model view, and the engine's own function
 * on anything else.
 *
 * `wait` and `waitAsync` compare and enqueue in one step and never wake by themselves; a finite timeout adds
 * the outcome 'timed-out'. `notify` wakes in order. `pause` is a scheduling hint that the explorer uses.
 */
import { Kind, type Raw, waitRaw, waitResults } from '../access.ts';
import { ScenarioError } from '../errors.ts';
import { Native } from '../native.ts';
import { activeRun, perform } from '../session.ts';
import { coreOf, type ViewCore } from './views.ts';

type AtomicsFunction = (...parameters: unknown[]) => unknown;
const native = Native.Atomics as unknown as Record<string, AtomicsFunction | undefined>;

const locate = (core: ViewCore, index: unknown): number => {
  const place = Number(index);
  if (!Number.isInteger(place) || place < 0 || place >= core.length) {
    throw new RangeError(`Invalid atomic access index: index=${place} length=${core.length}`);
  }
  return core.buffer.at + core.byteOffset + place * core.type.bytes;
};

const integerCore = (view: unknown, waitable: boolean): ViewCore | undefined => {
  const core = coreOf(view);
  if (core !== undefined && !(waitable ? core.type.waitable : core.type.atomic)) {
    throw new TypeError(
      `${core.type.name} is not a typed array that this Atomics function accepts`,
    );
  }
  return core;
};

const onElement =
  (name: keyof typeof Kind): AtomicsFunction =>
  (view, index, a, b) => {
    const core = integerCore(view, false);
    if (core === undefined) return native[name]!(view, index, a, b);
    const { type } = core;
    const at = locate(core, index);
    const first = name === 'load' ? 0 : type.toRaw(a);
    const second = name === 'compareExchange' ? type.toRaw(b) : 0;
    const old = perform(Kind[name], at, type.bytes, first, second);
    // `store` returns the value as an integer, not as an element.
    if (name !== 'store') return type.fromRaw(old);
    return typeof a === 'bigint' ? a : Math.trunc(Number(a)) || 0;
  };

const timeoutOf = (value: unknown): number => {
  const timeoutMs = value === undefined ? Number.NaN : Number(value);
  return Number.isNaN(timeoutMs) ? Number.POSITIVE_INFINITY : Math.max(timeoutMs, 0);
};

const wait: AtomicsFunction = (view, index, expected, timeout) => {
  const core = integerCore(view, true);
  if (core === undefined) return native['wait']!(view, index, expected, timeout);
  const raw = core.type.toRaw(expected);
  const timeoutMs = timeoutOf(timeout);
  const result = perform(Kind.wait, locate(core, index), core.type.bytes, raw, 0, timeoutMs);
  return waitResults[result as number];
};

const waitAsync: AtomicsFunction = (view, index, expected, timeout) => {
  const core = integerCore(view, true);
  if (core === undefined) return native['waitAsync']!(view, index, expected, timeout);
  const loop = activeRun()?.loop;
  if (loop === null) {
    throw new ScenarioError(
      'Atomics.waitAsync needs an event loop: use checkAsync or outcomesAsync',
    );
  }
  const raw: Raw = core.type.toRaw(expected);
  const timeoutMs = timeoutOf(timeout);
  const result = perform(Kind.waitAsync, locate(core, index), core.type.bytes, raw, 0, timeoutMs);
  if (result !== waitRaw.ok || loop === undefined) {
    return { async: false, value: waitResults[result as number] };
  }
  loop.timeoutsMs.push(timeoutMs);
  return { async: true, value: new Promise((resolve) => loop.wakes.push(resolve)) };
};

const notify: AtomicsFunction = (view, index, count) => {
  const core = integerCore(view, true);
  if (core === undefined) return native['notify']!(view, index, count);
  const wanted =
    count === undefined ? Number.POSITIVE_INFINITY : Math.max(Math.trunc(Number(count)) || 0, 0);
  return perform(Kind.notify, locate(core, index), core.type.bytes, Math.min(wanted, 0x7fffffff));
};

const isLockFree: AtomicsFunction = (bytes) => native['isLockFree']!(bytes);

/** Stands in for `Atomics` while a replay is on the stack. */
export const modelAtomics: Readonly<Record<string, AtomicsFunction>> = {
  load: onElement('load'),
  store: onElement('store'),
  exchange: onElement('exchange'),
  compareExchange: onElement('compareExchange'),
  add: onElement('add'),
  sub: onElement('sub'),
  and: onElement('and'),
  or: onElement('or'),
  xor: onElement('xor'),
  wait,
  waitAsync,
  notify,
  isLockFree,
  pause: () => void perform(Kind.pause, 0, 0),
};
