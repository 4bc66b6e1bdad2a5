/** `millrace replay`: plays a recording into null sinks and prints what each station took. */
import { readFile } from 'node:fs/promises';
import { connect } from '../connect.ts';
import { BridgeError } from '../errors.ts';
import { parseRecording } from '../receive/recording-format.ts';
import { nullSink } from '../sinks/null.ts';
import { Sampler } from './demo/snapshot.ts';
import { type Output, screenLines } from './demo/view.ts';
import { formatCount } from './format.ts';
import { Status } from './status.ts';

/** How to replay. */
export interface ReplayCommandOptions {
  readonly path: string;
  /** Factor on the recorded speed; as fast as possible, if not given. */
  readonly speed: number | undefined;
  readonly worker: boolean;
  readonly loops: number;
  /** Prints the figures as JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly output: Output;
  /** Where progress and what is noticed go: standard error. */
  readonly progress: Output;
}

const progressMs = 500;

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new BridgeError(
      'ERR_RECORDING_FORMAT',
      `the recording can't be read: ${JSON.stringify(path)} (${(error as Error).message})`,
      error,
    );
  }
}

/** Plays to the end. */
export async function replay(options: ReplayCommandOptions): Promise<void> {
  const { path, speed, worker, loops, json, signal, output, progress } = options;
  const source = await read(path);
  const { frames, truncated } = parseRecording(source);
  if (truncated) progress.write(`${path}: cut short, its last frame is incomplete and left out\n`);
  const recorded = (frames.at(-1)?.atMicroseconds ?? 0) / 1e6;
  const session = await connect({
    recording: {
      source,
      loops,
      pace: speed === undefined ? { kind: 'max' } : { kind: 'recorded', speed },
    },
    worker,
    signal,
    sink: () => nullSink(),
  });
  const title = `${worker ? 'worker' : 'inline'}, recording of tmux ${session.version}`;
  const sampler = new Sampler(session, title, (id) => `pane %${id}`);
  const status = new Status(progress);
  const startMs = performance.now();
  const all = speed === undefined ? '' : ` of ${((recorded * loops) / speed).toFixed(0)}`;
  const timer = setInterval(() => {
    const time = ((performance.now() - startMs) / 1000).toFixed(0);
    status.update(`${path}: ${time}${all} s, ${formatCount(session.stats().records)} records`);
  }, progressMs);
  const end = await session.closed;
  clearInterval(timer);
  status.clear();
  const snapshot = sampler.sample();
  const lines = json ? [JSON.stringify({ ...snapshot, truncated })] : screenLines(snapshot);
  for (const line of lines) output.write(`${line}\n`);
  if (end.error !== undefined) throw end.error;
}
