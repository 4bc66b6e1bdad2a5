/**
 * Judges in workers: a program that a mutant has made loop for ever ends with its worker, and each core does its
 * share.
 */
import { Worker } from 'node:worker_threads';
import { ScenarioError } from '../errors.ts';
import type { Baseline, GateDescription, Judge, Judgement } from './gate.ts';
import type { Answer, Request } from './judge-worker.ts';

const isSource: boolean = import.meta.url.endsWith('.ts');
const workerUrl = new URL(isSource ? './judge-worker.ts' : './judge-worker.js', import.meta.url);
/** Programs that a worker loads before it is replaced: loaded modules are never freed. */
const loadsMost = 200;

export class WorkerJudge implements Judge {
  readonly #gate: string;
  #worker: Worker;
  #ended: Promise<unknown> | undefined;
  #loads = 0;
  #description: GateDescription | undefined;

  private constructor(gate: string) {
    this.#gate = gate;
    this.#worker = this.#start();
  }

  static async open(gate: string): Promise<WorkerJudge> {
    const judge = new WorkerJudge(gate);
    await judge.#opened();
    return judge;
  }

  get description(): GateDescription {
    return this.#description!;
  }

  #start(): Worker {
    const worker = new Worker(workerUrl, { workerData: { gate: this.#gate } });
    // An error after the last answer has nobody to tell.
    worker.on('error', () => undefined);
    // Listened for from the start: a worker that runs out of memory ends before anybody closes it.
    this.#ended = new Promise((resolve) => void worker.once('exit', resolve));
    return worker;
  }

  async #opened(): Promise<void> {
    this.#description = (await this.#answer(300_000)) as GateDescription;
  }

  /** The worker's next answer; null when it took longer than patience lasts. */
  #answer(patienceMs: number): Promise<unknown> {
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        worker.off('message', onMessage);
        worker.off('error', onError);
        worker.off('exit', onExit);
      };
      const onMessage = (message: Answer): void => {
        done();
        if ('error' in message) reject(new ScenarioError(message.error));
        else resolve(message.value);
      };
      const onError = (error: unknown): void => {
        done();
        reject(error);
      };
      // Closed while it works, because another judge has failed.
      const onExit = (): void => onError(new Error('the worker has ended'));
      const timer = setTimeout(() => {
        done();
        resolve(null);
      }, patienceMs);
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.on('exit', onExit);
    });
  }

  async #replace(): Promise<void> {
    await this.close();
    this.#loads = 0;
    this.#worker = this.#start();
    await this.#opened();
  }

  #ask(request: Request, patienceMs: number): Promise<unknown> {
    this.#worker.postMessage(request);
    return this.#answer(patienceMs);
  }

  async baseline(scenario: number): Promise<Baseline> {
    return (await this.#ask({ baseline: scenario }, 2 ** 31 - 1)) as Baseline;
  }

  async judge(
    mutant: number,
    order: readonly number[],
    limits: readonly number[],
    patienceMs: number,
  ): Promise<Judgement> {
    if (++this.#loads > loadsMost) await this.#replace();
    let judgement: Judgement | null;
    try {
      judgement = (await this.#ask({ mutant, order, limits }, patienceMs)) as Judgement | null;
    } catch (error) {
      // The program took the worker with it: out of memory, or an exception outside of every scenario.
      judgement = { scenario: order[0]!, by: 'violation', reason: String(error) };
      await this.#replace();
    }
    if (judgement !== null) return judgement;
    await this.#replace();
    return { scenario: order[0]!, by: 'hang', reason: `no end within ${patienceMs} ms` };
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    worker.postMessage('close');
    const timer = setTimeout(() => void worker.terminate(), 1000);
    await this.#ended;
    clearTimeout(timer);
  }
}
