/** Rows that count differences instead of time: the fuzz and the recordings, with the package's own oracle. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ControlParser } from '@millrace/tmux-proto';
import { ControlParser as JsControlParser } from '@millrace/tmux-proto/js';
import fc from 'fast-check';
import {
  cutting,
  garbage,
  wellFormed,
} from '../../packages/tmux-proto/test/support/arbitraries.ts';
import { type Construct, run } from '../../packages/tmux-proto/test/support/collect.ts';
import { oracle } from '../../packages/tmux-proto/test/support/oracle.ts';

const engines: [Construct, object][] = [
  [JsControlParser, {}],
  [ControlParser as Construct, { engine: 'wasm' }],
];

/** Compares each engine with the oracle on fresh random streams and cuts; returns the number of differences. */
export function fuzz(comparisons: number): number {
  let differences = 0;
  const inputs = fc.tuple(fc.oneof({ weight: 4, arbitrary: garbage }, wellFormed), cutting);
  const runs = Math.ceil(comparisons / engines.length);
  for (let done = 0; done < runs; done += 1000) {
    for (const [bytes, cut] of fc.sample(inputs, Math.min(1000, runs - done))) {
      const wanted = oracle(Buffer.from(bytes).toString('latin1'), { framing: 'lines' }).join('\n');
      for (const [Parser, extra] of engines) {
        const options = { ...extra, framing: 'lines' as const };
        if (run(Parser, bytes, cut(bytes.length), options).join('\n') !== wanted) differences++;
      }
    }
  }
  return differences;
}

/** Compares each engine with the oracle on the recordings, in three ways to cut; returns the differences. */
export function recordings(): number {
  const folder = new URL('../../packages/tmux-proto/test/fixtures/recordings/', import.meta.url);
  const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Record<
    string,
    { mode: string }
  >;
  let differences = 0;
  for (const [name, { mode }] of Object.entries(index)) {
    const bytes = new Uint8Array(gunzipSync(readFileSync(new URL(`${name}.bin.gz`, folder))));
    const framing = mode === '-C' ? ('lines' as const) : ('dcs' as const);
    const wanted = oracle(Buffer.from(bytes).toString('latin1'), { framing }).join('\n');
    for (const [Parser, extra] of engines) {
      for (const step of [bytes.length, 65536, 997]) {
        const cuts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) => at * step);
        if (run(Parser, bytes, cuts, { ...extra, framing }).join('\n') !== wanted) differences++;
      }
    }
  }
  return differences;
}
