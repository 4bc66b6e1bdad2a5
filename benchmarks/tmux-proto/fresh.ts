/** Run in a process of its own: the milliseconds from the first construction to the end of the first MB. */
import { ControlParser } from '@millrace/tmux-proto';
import { synthetic } from './corpora.ts';
import { Sink } from './sink.ts';

const bytes = synthetic('log', 1_000_000);
const sink = new Sink();
globalThis.gc?.(); // the corpus's own garbage
const from = performance.now();
const parser = new ControlParser(sink, { framing: 'lines' });
for (let at = 0; at < bytes.length; at += 4800) parser.push(bytes.subarray(at, at + 4800));
console.log(performance.now() - from);
