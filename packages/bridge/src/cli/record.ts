/** `millrace record`: attaches to a session and writes the connection to a file. */
import { existsSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../connect.ts';
import { BridgeError } from '../errors.ts';
import { nullSink } from '../sinks/null.ts';
import type { Output } from './demo/view.ts';
import { formatCount } from './format.ts';
import { Status } from './status.ts';
import type { Target } from './target.ts';

/** How to record. */
export interface RecordOptions {
  readonly path: string;
  readonly target: Target;
  /** How long; until the session ends or a signal comes, if not given. */
  readonly seconds: number | undefined;
  /** Writes over a file that is there. */
  readonly overwrite: boolean;
  /** Prints the figures as JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly output: Output;
  /** Where progress goes: standard error. */
  readonly progress: Output;
}

const progressMs = 500;

/** Refuses to write over what is there: a recording can't be made again. */
function checkAbsent(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false });
  if (size === undefined || !size.isFile() || size.size === 0) return;
  throw new BridgeError(
    'ERR_BRIDGE_ARGUMENT',
    `the file is there already, --overwrite replaces it: ${JSON.stringify(path)}`,
  );
}

/** Records until told to stop. */
export async function record(options: RecordOptions): Promise<void> {
  const { path, target, seconds, json, signal, output } = options;
  if (!options.overwrite) checkAbsent(path);
  const wasThere = existsSync(path);
  const session = await connect({
    recordTo: path,
    signal,
    sink: () => nullSink(),
    ...target,
  }).catch((error: unknown) => {
    // Nothing was recorded.
    if (!wasThere) rmSync(path, { force: true });
    throw error;
  });
  let failure: BridgeError | undefined;
  session.on('recording-failed', (error) => {
    failure = error;
    session.close();
  });
  const startMs = performance.now();
  const status = new Status(options.progress);
  const timer = setInterval(() => {
    const { bytes } = session.stats();
    const time = ((performance.now() - startMs) / 1000).toFixed(0);
    status.update(`recording to ${path}: ${time} s, ${formatCount(bytes)} bytes; ctrl-c ends it`);
  }, progressMs);
  const stopped =
    seconds === undefined
      ? session.closed
      : Promise.race([session.closed, sleep(seconds * 1000, undefined, { signal, ref: false })]);
  // A signal closes the session through `connect`.
  await stopped.catch(() => {});
  const end = await session.close();
  clearInterval(timer);
  status.clear();
  const { bytes, records } = session.stats();
  const error = failure ?? end.error;
  const message = failure?.message ?? end.message;
  const figures = { path, bytes, records, end: failure === undefined ? end.reason : 'failed' };
  output.write(
    json
      ? `${JSON.stringify({ ...figures, message })}\n`
      : `${path}: ${formatCount(bytes)} bytes, ${formatCount(records)} records; ${message}\n`,
  );
  if (error !== undefined) throw error;
}
