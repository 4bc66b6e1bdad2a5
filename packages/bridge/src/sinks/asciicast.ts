/** Writes a pane as an asciicast, version 2: one line of JSON per write, for any asciinema player. */

import type { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { checkInteger, checkObject } from '../errors.ts';
import type { Sink } from './sink.ts';
import { streamSink } from './stream.ts';

/** What an asciicast's header says. */
export interface AsciicastOptions {
  /** Columns of the terminal (1 to 65535). */
  readonly columns: number;
  /** Rows of the terminal (1 to 65535). */
  readonly rows: number;
  /** Title of the recording. */
  readonly title?: string;
  /** Returns the time (ms, monotonic). @defaultValue `performance.now` */
  readonly now?: () => number;
}

/**
 * Creates a sink that writes an asciicast to a stream. Times count from the sink's creation; characters that a write
 * cuts are carried to the next one. A change of the pane's size is an event of its own (`r`).
 *
 * @param stream - where to; ended when the session ends
 * @param options - size and title of the recording
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { PassThrough } from 'node:stream';
 * import { asciicastSink } from '@millrace/bridge/sinks/asciicast';
 *
 * const stream = new PassThrough();
 * const sink = asciicastSink(stream, { columns: 80, rows: 24, now: () => 0 });
 * sink.write(Buffer.from('hi\x1b[m'));
 * assert.equal(
 *   stream.read().toString(),
 *   '{"version":2,"width":80,"height":24}\n[0,"o","hi\\u001b[m"]\n',
 * );
 * ```
 */
export function asciicastSink(stream: Writable, options: AsciicastOptions): Sink {
  checkObject('options', options);
  const { columns, rows, title, now = () => performance.now() } = options;
  checkInteger('columns', columns, 1, 65_535);
  checkInteger('rows', rows, 1, 65_535);
  const inner = streamSink(stream);
  const decoder = new StringDecoder('utf8');
  const startMs = now();
  const header = { version: 2, width: columns, height: rows, ...(title && { title }) };
  let head = `${JSON.stringify(header)}\n`;
  let size = `${columns}x${rows}`;
  const event = (text: string, code = 'o'): string => {
    if (text === '') return '';
    const seconds = Math.round((now() - startMs) * 1000) / 1e6;
    return `${JSON.stringify([seconds, code, text])}\n`;
  };
  let resized = '';
  const line = (text: string): Uint8Array => {
    const written = Buffer.from(head + resized + event(text));
    head = '';
    resized = '';
    return written;
  };
  return {
    write(bytes) {
      const text = decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      return text === '' ? undefined : inner.write(line(text));
    },
    resize(width, height) {
      if (size === `${width}x${height}`) return;
      size = `${width}x${height}`;
      resized += event(size, 'r'); // leaves with the next write
    },
    close(error) {
      const rest = line(decoder.end());
      if (rest.length > 0) inner.write(rest);
      return inner.close?.(error);
    },
  };
}
