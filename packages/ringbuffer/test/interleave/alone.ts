/**
 * What one thread alone can notice of broken queues, lanes and broadcast rings: calls against an array. For the
 * mutation gates, so that the scenarios can be about what threads do to one another.
 */
import { type CheckResult, check } from '@millrace/interleave';
import type { GateScenario } from '@millrace/interleave/mutate';

/**
 * Runs a body as the one thread of a scenario, on what the setup made: a loop without end shows, an exception too. A
 * body may make 1000 accesses.
 */
export const aloneOn = <Shared>(
  name: string,
  setup: () => Shared,
  body: (shared: Shared) => void,
): GateScenario => ({
  name: `one thread, ${name}`,
  run: (): CheckResult =>
    check({ name, setup, threads: [{ run: body }], bounds: { opSteps: 1000 } }),
});

/** As {@link aloneOn}, with memory for rings. */
export const alone = (name: string, body: (buffer: SharedArrayBuffer) => void): GateScenario =>
  aloneOn(
    name,
    () => new Int32Array(new SharedArrayBuffer(8192)),
    ({ buffer }) => body(buffer as SharedArrayBuffer),
  );

/** Throws if two values differ; views of the model's memory are compared as what they hold. */
export function same(found: unknown, expected: unknown, what: string): void {
  const show = (value: unknown): string =>
    ArrayBuffer.isView(value)
      ? `[${(value as Uint8Array).join()}]`
      : (JSON.stringify(value) ?? 'undefined');
  if (show(found) !== show(expected)) {
    throw new Error(`${what}: ${show(found)}, not ${show(expected)}`);
  }
}

/** The code of what a body throws; undefined if it throws nothing. */
export function codeOf(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return undefined;
}
