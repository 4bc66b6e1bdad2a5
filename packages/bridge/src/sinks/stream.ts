/** Writes a pane's bytes to a Node stream: a file, a socket, another process. */
import type { Writable } from 'node:stream';
import { checkMethods } from '../errors.ts';
import type { Sink } from './sink.ts';

/**
 * Creates a sink over a writable stream; its high-water mark decides when the pane waits.
 *
 * The bytes are copied, because a stream may hold on to them after it asked for more. An error of the stream, or its end
 * before the session's (a socket whose other end left), fails the pipe with `ERR_SINK_FAILED`.
 *
 * @param stream - where to write; ended when the session ends
 */
export function streamSink(stream: Writable): Sink {
  checkMethods('stream', stream, 'write', 'end', 'on', 'once');
  let failure: Error | undefined;
  /** Settles the write that waits for room. */
  let settle: (() => void) | undefined;
  const over = (error: Error): void => {
    failure ??= error;
    settle?.();
  };
  stream.on('error', over);
  stream.on('close', () => over(new Error('the stream was closed')));
  stream.on('drain', () => settle?.());
  return {
    write(bytes) {
      if (failure !== undefined) throw failure;
      if (stream.write(bytes.slice())) return undefined;
      return new Promise<void>((resolve, reject) => {
        settle = () => {
          settle = undefined;
          if (failure === undefined) resolve();
          else reject(failure);
        };
      });
    },
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) return resolve();
        stream.end(() => resolve());
        stream.once('error', () => resolve());
        stream.once('close', () => resolve());
      }),
  };
}
