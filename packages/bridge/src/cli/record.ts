/** `millrace record`: attaches to a session and writes the connection to a file. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../connect.ts';
import { nullSink } from '../sinks/null.ts';
import type { Output } from './demo/view.ts';
import { formatCount } from './format.ts';

/** How to record. */
export interface RecordOptions {
  readonly path: string;
  readonly socketPath: string | undefined;
  readonly session: string | undefined;
  /** How long; until the session ends or a signal comes, if not given. */
  readonly seconds: number | undefined;
  /** Prints the figures as JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** Records until told to stop. */
export async function record(options: RecordOptions): Promise<void> {
  const { path, socketPath, session: name, seconds, json, signal, output } = options;
  const session = await connect({
    recordTo: path,
    signal,
    sink: () => nullSink(),
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(name === undefined ? {} : { session: name }),
  });
  const stopped =
    seconds === undefined
      ? session.closed
      : Promise.race([session.closed, sleep(seconds * 1000, undefined, { signal, ref: false })]);
  // A signal closes the session through `connect`.
  await stopped.catch(() => {});
  const end = await session.close();
  const { bytes, records } = session.stats();
  output.write(
    json
      ? `${JSON.stringify({ path, bytes, records, end: end.reason, message: end.message })}\n`
      : `${path}: ${formatCount(bytes)} bytes, ${formatCount(records)} records; ${end.message}\n`,
  );
  if (end.error !== undefined) throw end.error;
}
