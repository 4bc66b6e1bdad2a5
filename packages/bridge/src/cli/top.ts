/** `millrace top`: attaches to a session and shows what its panes write and what each station takes, live. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../connect.ts';
import { nullSink } from '../sinks/null.ts';
import { Sampler } from './demo/snapshot.ts';
import { type Output, View } from './demo/view.ts';
import type { Target } from './target.ts';

/** What to watch. */
export interface TopOptions {
  readonly target: Target;
  /** How long; until the session ends or a signal comes, if not given. */
  readonly seconds: number | undefined;
  readonly worker: boolean;
  /** Prints a JSON object a second instead of a table. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly output: Output;
}

const frameMs = 500;
const jsonMs = 1000;

/** Shows figures until told to stop. */
export async function top(options: TopOptions): Promise<void> {
  const { target, seconds, worker, json, signal, output } = options;
  const session = await connect({
    worker,
    signal,
    sink: () => nullSink(),
    ...target,
  });
  const view = new View(output);
  const title = `${target.session ?? 'session'} on tmux ${session.version}`;
  const sampler = new Sampler(session, title, (id) => {
    const info = session.panes.get(id)?.info;
    const size = info?.columns === undefined ? '' : ` ${info.columns}x${info.rows}`;
    return `%${id}${size}`;
  });
  const untilMs =
    seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000;
  let ended = false;
  session.closed.then(() => {
    ended = true;
  });
  try {
    while (!ended && performance.now() < untilMs) {
      const leftMs = untilMs - performance.now();
      await Promise.race([
        session.closed,
        sleep(Math.min(json ? jsonMs : frameMs, leftMs), undefined, { signal }),
      ]);
      if (json) output.write(`${JSON.stringify(sampler.sample())}\n`);
      else view.draw(sampler.sample());
    }
  } finally {
    view.settle();
    await session.close();
  }
  const end = await session.closed;
  if (end.error !== undefined) throw end.error;
  if (end.reason !== 'closed' && !json) output.write(`${end.message}\n`);
}
