/**
 * An agent that watches every pane of a session for a pattern, and says where it was seen.
 *
 * `node watch-for.mjs 'error|FAILED' [-S SOCKET] [-t SESSION] [--count N]`, until N matches, the session's end or Ctrl-C.
 *
 * It reads without loss (the default policy), so nothing that a pane prints escapes it, also where no terminal would
 * keep up. A line is matched when it is whole; colours and other control sequences are taken out first.
 */
import { StringDecoder } from 'node:string_decoder';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { connect } from '@millrace/bridge';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    socket: { type: 'string', short: 'S' },
    session: { type: 'string', short: 't' },
    count: { type: 'string', default: 'Infinity' },
  },
});
if (positionals.length !== 1) {
  console.error('usage: watch-for.mjs PATTERN [-S SOCKET] [-t SESSION] [--count N]');
  process.exit(2);
}
const pattern = new RegExp(positionals[0]);
const lineLengthMax = 65_536;
let left = Number(values.count);

/** A sink that cuts a pane's bytes into lines of text. */
function lineSink(line) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    write(bytes) {
      const lines = (rest + decoder.write(Buffer.from(bytes))).split('\n');
      // A program that never ends a line must not fill the memory.
      rest = lines.pop().slice(-lineLengthMax);
      for (const text of lines) line(stripVTControlCharacters(text).trimEnd());
    },
  };
}

// Panes may print before `connect` has resolved.
let session;
session = await connect({
  ...(values.socket === undefined ? {} : { socketPath: values.socket }),
  ...(values.session === undefined ? {} : { session: values.session }),
  sink: (pane) =>
    lineSink((text) => {
      if (left <= 0 || !pattern.test(text)) return;
      console.log(`${new Date().toISOString()} %${pane} ${text}`);
      if (--left <= 0) session?.close();
    }),
});
process.once('SIGINT', () => session.close());
if (left <= 0) session.close();
const end = await session.closed;
process.exitCode = end.error === undefined ? 0 : 1;
