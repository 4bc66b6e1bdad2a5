/** Starts a contender as a process of its own and waits for what it measured. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BridgeError } from '../errors.ts';
import type {
  ContenderMessage,
  ContenderPlan,
  ContenderProgress,
  ContenderReport,
} from './plan.ts';

const stderrBytesMax = 2000;
/** Beside the keys' own time: the start, and the silence that is waited for. */
const patienceMs = 30_000;
const keyMs = 20;

/** How a contender is run. */
export interface RunOptions {
  readonly signal: AbortSignal;
  readonly progress?: ((progress: ContenderProgress) => void) | undefined;
}

const program = (): string => {
  const isSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(
    new URL(isSource ? './contenders/process.ts' : './contender.js', import.meta.url),
  );
};

/** Runs a contender to its end. */
export function runContender(plan: ContenderPlan, options: RunOptions): Promise<ContenderReport> {
  const { signal, progress } = options;
  signal.throwIfAborted();
  const child = spawn(process.execPath, [...process.execArgv, program(), JSON.stringify(plan)]);
  const timer = setTimeout(() => child.kill('SIGKILL'), plan.keys * keyMs + patienceMs);
  const abort = (): void => {
    child.kill('SIGKILL');
  };
  signal.addEventListener('abort', abort, { once: true });
  let report: ContenderReport | undefined;
  let failure = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    failure = (failure + text).slice(0, stderrBytesMax);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as ContenderMessage;
    if (message.type === 'report') report = message;
    else if (message.type === 'progress') progress?.(message);
    else failure = message.message;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, killed) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(signal.reason);
      else if (report !== undefined) resolve(report);
      else {
        const said = failure.trim() || `status=${status} signal=${killed}`;
        reject(
          new BridgeError('ERR_TMUX_EXITED', `the contender ${plan.kind} ended early: ${said}`),
        );
      }
    });
  });
}
