/** Writes a pane's bytes to a Node stream: a file, a socket, another process. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Sink } from './sink.ts';

/**
 * Creates a sink over a writable stream; its high-water mark decides when the pane waits.
 *
 * The bytes are copied, because a stream may hold on to them after it asked for more. An error of the stream
 * fails the pipe with `ERR_SINK_FAILED`.
 *
 * @param stream - where to write; ended when the session ends
 */
export function streamSink(stream: Writable): Sink {
  let failure: Error | undefined;
  stream.on('error', (error: Error) => {
    failure = error;
  });
  return {
    write(bytes) {
      if (failure !== undefined) throw failure;
      if (stream.write(bytes.slice())) return undefined;
      return once(stream, 'drain');
    },
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) return resolve();
        stream.end(() => resolve());
        stream.once('error', () => resolve());
      }),
  };
}
