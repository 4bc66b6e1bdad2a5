/** A worker that judges mutants of a gate for drive.ts: one request, one answer. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Judge, LocalJudge, type MutationGate } from './gate.ts';

/** What a worker is asked. */
export type Request =
  | { readonly baseline: number }
  | {
      readonly mutant: number;
      readonly order: readonly number[];
      readonly limits: readonly number[];
    };

/** What it answers. */
export type Answer = { readonly value: unknown } | { readonly error: string };

async function answer(judge: Judge, request: Request): Promise<Answer> {
  try {
    const value =
      'baseline' in request
        ? await judge.baseline(request.baseline)
        : await judge.judge(request.mutant, request.order, request.limits, 0);
    return { value };
  } catch (error) {
    return { error: String(error) };
  }
}

const { gate: url } = workerData as { gate: string };
const port = parentPort!;
try {
  const { gate } = (await import(url)) as { gate: MutationGate<unknown> };
  const judge = await LocalJudge.open(gate);
  port.on('message', async (request: Request | 'close') => {
    if (request === 'close') {
      await judge.close();
      port.close();
    } else port.postMessage(await answer(judge, request));
  });
  port.postMessage({ value: judge.description } satisfies Answer);
} catch (error) {
  port.postMessage({ error: String((error as Error)?.stack ?? error) } satisfies Answer);
}
