/**
 * Swaps the globals that shared-memory code uses for the model's, and back.
 *
 * Constructors keep their real behaviour for everything that isn't model memory, so local arrays stay real.
 * Time is virtual (it moves when a wait of this thread times out), and what would make a thread depend on
 * anything but its inputs (`Math.random`, a second event loop) is an error.
 */
import { UnmodelledError } from '../errors.ts';
import { Native } from '../native.ts';
import { activeRun } from '../session.ts';
import { modelAtomics } from './atomics.ts';
import { ModelSharedArrayBuffer } from './buffer.ts';
import { isDataView, ModelDataView } from './data-view.ts';
import { type ElementType, elementTypes } from './elements.ts';
import { constructView, coreOf } from './views.ts';

type AnyConstructor = new (...parameters: unknown[]) => object;

function typedArrayConstructor(type: ElementType): AnyConstructor {
  const real = type.construct as unknown as AnyConstructor;
  const construct = (parameters: unknown[], target: AnyConstructor): object => {
    const [first, byteOffset, length] = parameters;
    if (first instanceof ModelSharedArrayBuffer) {
      return constructView(type, first, byteOffset as number, length as number);
    }
    const core = coreOf(first);
    // Copying a model view reads it in one bulk access.
    const source =
      core === undefined
        ? parameters
        : [(first as { slice(): unknown }).slice(), ...parameters.slice(1)];
    return Reflect.construct(real, source, target);
  };
  return new Proxy(real, {
    construct: (_, parameters, target) =>
      construct(parameters, target === proxies.get(type.name) ? real : (target as AnyConstructor)),
    get: (target, key) =>
      key === Symbol.hasInstance
        ? (value: unknown) => coreOf(value)?.type === type || value instanceof real
        : Reflect.get(target, key),
  });
}

const proxies = new Map<string, AnyConstructor>();
for (const [name, type] of elementTypes) proxies.set(name, typedArrayConstructor(type));

const dataView: AnyConstructor = new Proxy(Native.DataView as unknown as AnyConstructor, {
  construct: (target, parameters, newTarget) =>
    parameters[0] instanceof ModelSharedArrayBuffer
      ? new ModelDataView(parameters[0], parameters[1] as number, parameters[2] as number)
      : Reflect.construct(target, parameters, newTarget === dataView ? target : newTarget),
  get: (target, key) => (key === Symbol.hasInstance ? isDataView : Reflect.get(target, key)),
});

/** A function, also a constructor, that always throws. */
function unmodelled(what: string, instead: string): () => never {
  function absent(): never {
    throw new UnmodelledError(`${what} is not modelled: ${instead}`);
  }
  return absent;
}

const epochMs = 1_000_000;
const virtualNow = (): number => epochMs + (activeRun()?.clockMs ?? 0);

const setTimer = (
  callback: (...values: unknown[]) => void,
  delayMs = 0,
  ...values: unknown[]
): unknown => {
  const run = activeRun();
  if (run?.loop == null) {
    throw new UnmodelledError('setTimeout is modelled in async threads only: use checkAsync');
  }
  const timer = {
    dueMs: run.clockMs + Math.max(Number(delayMs) || 0, 1),
    fire: () => callback(...values),
    active: true,
  };
  const handle = {
    timer,
    ref: (): unknown => handle,
    unref: (): unknown => handle,
    hasRef: (): boolean => true,
    [Symbol.toPrimitive]: (): number => run.loop!.timers.indexOf(timer) + 1,
  };
  run.loop.timers.push(timer);
  return handle;
};

const clearTimer = (handle: unknown): void => {
  const timer = (handle as { timer?: { active: boolean } } | null | undefined)?.timer;
  if (timer !== undefined) timer.active = false;
};

const modelPerformance = { now: virtualNow, timeOrigin: 0 };
const needTimer = 'use setTimeout, or inject the clock and scheduler';

const replacements: readonly (readonly [target: object, key: string, value: unknown])[] = [
  [globalThis, 'Atomics', modelAtomics],
  [globalThis, 'SharedArrayBuffer', ModelSharedArrayBuffer],
  [globalThis, 'DataView', dataView],
  ...[...proxies].map(([name, proxy]) => [globalThis, name, proxy] as const),
  [globalThis, 'performance', modelPerformance],
  [globalThis, 'setTimeout', setTimer],
  [globalThis, 'clearTimeout', clearTimer],
  [globalThis, 'setInterval', unmodelled('setInterval', needTimer)],
  [globalThis, 'setImmediate', unmodelled('setImmediate', needTimer)],
  [globalThis, 'MessageChannel', unmodelled('MessageChannel', needTimer)],
  [globalThis, 'Worker', unmodelled('Worker', 'start threads through the scenario')],
  [Native.Date, 'now', virtualNow],
  [Math, 'random', unmodelled('Math.random', 'pass random values in as arguments')],
  [
    Native.ArrayBuffer,
    'isView',
    (value: unknown) =>
      coreOf(value) !== undefined || value instanceof ModelDataView || Native.isView(value),
  ],
];

const descriptors = new Map(
  replacements.map((entry) => [
    entry,
    {
      value: entry[2],
      writable: true,
      configurable: true,
      enumerable: false,
    } satisfies PropertyDescriptor,
  ]),
);
let depth = 0;
let saved: (PropertyDescriptor | undefined)[] = [];

/** Puts the model's globals in place. */
export function installGlobals(): void {
  if (depth++ > 0) return;
  saved = replacements.map(([target, key]) => Object.getOwnPropertyDescriptor(target, key));
  for (const entry of replacements)
    Object.defineProperty(entry[0], entry[1], descriptors.get(entry)!);
}

/** Puts the real globals back. */
export function restoreGlobals(): void {
  if (--depth > 0) return;
  replacements.forEach(([target, key], index) => {
    const descriptor = saved[index];
    if (descriptor === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, descriptor);
  });
}
