/** What each layer costs for one event, on the same corpus. */
import { ControlParser } from '@millrace/tmux-proto';
import { controlEvents, eventHandler, PaneText } from '@millrace/tmux-proto/layers';
import type { Peer } from './peers.ts';
import type { Sink } from './sink.ts';

const lines = { framing: 'lines' } as const;

export const raw = (sink: Sink): Peer =>
  new ControlParser(
    { rawOutput: (pane, _ageMs, bytes, start, end) => sink.output(pane, bytes, start, end) },
    lines,
  );

export const objects = (sink: Sink): Peer =>
  new ControlParser(
    eventHandler((event) => {
      if (event.type === 'output') sink.output(event.pane, event.bytes, 0, event.bytes.length);
    }),
    lines,
  );

export const paneText = (sink: Sink): Peer => {
  const text = new PaneText();
  return new ControlParser(
    { output: (pane, bytes, start, end) => sink.text(pane, text.decode(pane, bytes, start, end)) },
    lines,
  );
};

export const debug = (sink: Sink): Peer => new ControlParser(sink, { ...lines, debug: true });

/** ns for an event through the async iterator. */
export async function iteratorTime(bytes: Buffer, sink: Sink): Promise<number> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 65536) chunks.push(bytes.subarray(at, at + 65536));
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    let count = 0;
    const from = performance.now();
    for await (const event of controlEvents(chunks, lines)) {
      count++;
      if (event.type === 'output') sink.output(event.pane, event.bytes, 0, 0);
    }
    least = Math.min(least, ((performance.now() - from) * 1e6) / count);
  }
  return least;
}
