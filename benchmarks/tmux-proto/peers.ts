/**
 * The ways in which people parse control mode, written as well as their kind allows.
 *
 * - readline and split: what most scripts do; lines as strings, a regular expression for the escapes.
 * - string buffer: one of the two ways of published TypeScript parsers; a string buffer, `indexOf` and `slice`.
 * - byte concat: the other; the carried bytes and the chunk concatenated, a byte loop into a new array a line.
 *
 * All find blocks by the guard's time and number, as the better published ones do. The last two are our own
 * implementations of those approaches, not the published packages.
 */
import readline from 'node:readline';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Sink } from './sink.ts';

export interface Peer {
  push(chunk: Buffer): void;
}

const OCTAL = /\\([0-7]{3})/g;
const fromOctal = (_: string, digits: string): string =>
  String.fromCharCode(Number.parseInt(digits, 8));

class Lines {
  #block: string | undefined;
  readonly #sink: Sink;
  constructor(sink: Sink) {
    this.#sink = sink;
  }

  line(line: string): void {
    const sink = this.#sink;
    if (this.#block !== undefined) {
      if (line.startsWith('%end ') || line.startsWith('%error ')) {
        if (line.slice(line.indexOf(' ') + 1) === this.#block) {
          this.#block = undefined;
          sink.end();
          return;
        }
      }
      sink.text(0, line);
    } else if (line.startsWith('%output ')) {
      const space = line.indexOf(' ', 8);
      sink.text(Number(line.slice(9, space)), line.slice(space + 1).replace(OCTAL, fromOctal));
    } else if (line.startsWith('%extended-output ')) {
      const colon = line.indexOf(' : ');
      const [, pane] = line.slice(0, colon).split(' ');
      sink.text(Number(pane!.slice(1)), line.slice(colon + 3).replace(OCTAL, fromOctal));
    } else if (line.startsWith('%begin ')) {
      this.#block = line.slice(7);
    } else {
      sink.text(0, line);
    }
  }
}

export function splitRegex(sink: Sink): Peer {
  const decoder = new StringDecoder('utf8');
  const lines = new Lines(sink);
  let rest = '';
  return {
    push(chunk) {
      const parts = (rest + decoder.write(chunk)).split('\n');
      rest = parts.pop()!;
      for (const line of parts) lines.line(line);
    },
  };
}

/** Parses a whole corpus: readline takes a stream. */
export function readlineRegex(sink: Sink, chunks: readonly Buffer[]): Promise<void> {
  const lines = new Lines(sink);
  const input = Readable.from(chunks, { objectMode: false });
  return new Promise((resolve) => {
    readline
      .createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
      .on('line', (line) => lines.line(line))
      .on('close', resolve);
  });
}

export function stringBuffer(sink: Sink): Peer {
  const decoder = new StringDecoder('utf8');
  const lines = new Lines(sink);
  let buffer = '';
  return {
    push(chunk) {
      buffer += decoder.write(chunk);
      let from = 0;
      for (let end = buffer.indexOf('\n'); end >= 0; end = buffer.indexOf('\n', from)) {
        lines.line(buffer.slice(from, end));
        from = end + 1;
      }
      buffer = buffer.slice(from);
    },
  };
}

function decodeBytes(line: Buffer, from: number): Buffer {
  const target = Buffer.alloc(line.length - from);
  let to = 0;
  for (let at = from; at < line.length; at++) {
    if (line[at] === 0x5c && at + 3 < line.length) {
      const a = line[at + 1]! - 48;
      const b = line[at + 2]! - 48;
      const c = line[at + 3]! - 48;
      if (a >= 0 && a < 4 && b >= 0 && b < 8 && c >= 0 && c < 8) {
        target[to++] = (a << 6) | (b << 3) | c;
        at += 3;
        continue;
      }
    }
    target[to++] = line[at]!;
  }
  return target.subarray(0, to);
}

export function byteConcat(sink: Sink): Peer {
  let rest: Buffer | undefined;
  let block: string | undefined;
  const handle = (line: Buffer): void => {
    const head = line.toString('latin1', 0, 17);
    if (block !== undefined) {
      if (head.startsWith('%end ') || head.startsWith('%error ')) {
        const text = line.toString('latin1');
        if (text.slice(text.indexOf(' ') + 1) === block) {
          block = undefined;
          sink.end();
          return;
        }
      }
      sink.replyLine(line, 0, line.length);
    } else if (head.startsWith('%output ')) {
      const space = line.indexOf(32, 8);
      const bytes = decodeBytes(line, space + 1);
      sink.output(Number(line.toString('latin1', 9, space)), bytes, 0, bytes.length);
    } else if (head.startsWith('%extended-output ')) {
      const colon = line.indexOf(' : ');
      const [, pane, age] = line.toString('latin1', 0, colon).split(' ');
      const bytes = decodeBytes(line, colon + 3);
      sink.extendedOutput(Number(pane!.slice(1)), Number(age), bytes, 0, bytes.length);
    } else if (head.startsWith('%begin ')) {
      block = line.toString('latin1', 7);
    } else {
      sink.replyLine(line, 0, line.length);
    }
  };
  return {
    push(chunk) {
      const bytes: Buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        handle(bytes.subarray(from, end));
        from = end + 1;
      }
      rest = from < bytes.length ? Buffer.from(bytes.subarray(from)) : undefined;
    },
  };
}
