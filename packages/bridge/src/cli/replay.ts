/** `millrace replay`: plays a recording into null sinks and prints what each station took. */
import { connect } from '../connect.ts';
import { nullSink } from '../sinks/null.ts';
import { Sampler } from './demo/snapshot.ts';
import { type Output, screenLines } from './demo/view.ts';

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
}

/** Plays to the end. */
export async function replay(options: ReplayCommandOptions): Promise<void> {
  const { path, speed, worker, loops, json, signal, output } = options;
  const session = await connect({
    recording: {
      source: path,
      loops,
      pace: speed === undefined ? { kind: 'max' } : { kind: 'recorded', speed },
    },
    worker,
    signal,
    sink: () => nullSink(),
  });
  const title = `${worker ? 'worker' : 'inline'}, recording of tmux ${session.version}`;
  const sampler = new Sampler(session, title, (id) => `pane %${id}`);
  const end = await session.closed;
  const snapshot = sampler.sample();
  const lines = json ? [JSON.stringify(snapshot)] : screenLines(snapshot);
  for (const line of lines) output.write(`${line}\n`);
  if (end.error !== undefined) throw end.error;
}
