/**
 * Goal: every engine tells exactly what a slow, obvious oracle tells, whatever the bytes and however they are
 * cut (M1 to M6). Method: fast-check, garbage and well-formed streams, all framings and limit policies; each
 * chunk is overwritten after its push. FC_RUNS scales the number of runs, FC_SEED repeats one.
 */

import type { ControlHandler } from '@millrace/tmux-proto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutting, garbage, wellFormed } from './support/arbitraries.ts';
import { collector, commitCut, run } from './support/collect.ts';
import { engines } from './support/engines.ts';
import { oracle } from './support/oracle.ts';

const runs = Number(process.env['FC_RUNS'] ?? 400);
const seed = process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) };

/** Makes every second call of a handler throw, after it did its work. */
function throwEverySecond(handler: ControlHandler): void {
  let calls = 0;
  for (const name of Object.keys(handler) as (keyof ControlHandler)[]) {
    const method = handler[name] as (...args: unknown[]) => unknown;
    handler[name] = ((...args: unknown[]) => {
      method(...args);
      if (++calls % 2 === 0) throw new Error('second');
    }) as never;
  }
}

describe.each(engines)('%s engine', (_, Parser, extra) => {
  for (const framing of ['lines', 'dcs'] as const) {
    test.each([
      ['garbage', garbage],
      ['well-formed streams', wellFormed],
    ])(`agrees with the oracle on %s, framing ${framing}`, (_name, input) => {
      fc.assert(
        fc.property(input, cutting, fc.boolean(), (body, cut, gluedGuards) => {
          const bytes =
            framing === 'lines'
              ? body
              : Buffer.concat([
                  Buffer.from('$ tmux -CC\r\n\x1bP1000p'),
                  body,
                  Buffer.from('\n\x1b\\$ '),
                ]);
          const wanted = oracle(Buffer.from(bytes).toString('latin1'), { framing, gluedGuards });
          const got = run(Parser, bytes, cut(bytes.length), { ...extra, framing, gluedGuards });
          expect(got).toEqual(wanted);
        }),
        { numRuns: runs, ...seed },
      );
    });
  }

  test('many parsers that share the engine, some with lent memory, some with handlers that throw', () => {
    const stream = fc.tuple(
      fc.oneof(garbage, wellFormed),
      cutting,
      fc.constantFrom('push', 'target', 'throw'),
    );
    fc.assert(
      fc.property(
        fc.array(stream, { minLength: 2, maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        (streams, turns) => {
          const feeds = streams.map(([bytes, cut, how]) => {
            const { events, handler } = collector();
            if (how === 'throw') throwEverySecond(handler);
            const parser = new Parser(handler, { ...extra, framing: 'lines' });
            const cuts = [...cut(bytes.length), bytes.length];
            return { bytes, how, events, parser, cuts, at: 0, errors: 0 };
          });
          while (feeds.some((feed) => feed.cuts.length > 0)) {
            const feed = feeds[(turns.next().value as number) % feeds.length]!;
            const to = feed.cuts.shift();
            if (to === undefined) continue;
            const part = new Uint8Array(feed.bytes.subarray(feed.at, to));
            feed.at = to;
            try {
              if (feed.how === 'target') commitCut(feed.parser, part, []);
              else feed.parser.push(part);
            } catch (error) {
              expect(error).toMatchObject({ message: 'second' });
              feed.errors++;
            }
            part.fill(0xee);
          }
          for (const { bytes, events, parser, how, errors } of feeds) {
            try {
              parser.end();
            } catch (error) {
              expect(how).toBe('throw');
              expect(error).toMatchObject({ message: 'second' });
            }
            expect(events).toEqual(
              oracle(Buffer.from(bytes).toString('latin1'), { framing: 'lines' }),
            );
            expect(errors === 0 || how === 'throw').toBe(true);
          }
        },
      ),
      { numRuns: runs / 4, ...seed },
    );
  });

  test('agrees with the oracle over the line limit, by every policy', () => {
    const line = fc
      .tuple(
        fc.constantFrom('%output %1 ', 'stray', '%begin 1 1 1\nx'),
        fc.integer({ min: 1000, max: 1060 }),
      )
      .map(([head, length]) => Buffer.from(`${head.padEnd(length, 'ab\\033')}\n`));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(line, wellFormed), { maxLength: 6 }),
        cutting,
        fc.constantFrom('truncate' as const, 'skip' as const),
        (parts, cut, limitPolicy) => {
          const bytes = Buffer.concat(parts);
          const options = { framing: 'lines' as const, limitPolicy, maxLineBytes: 1030 };
          const wanted = oracle(bytes.toString('latin1'), options);
          const got = run(Parser, bytes, cut(bytes.length), { ...extra, ...options });
          expect(got).toEqual(wanted.filter((event) => event !== 'overlong'));
        },
      ),
      { numRuns: runs / 2, ...seed },
    );
  });
});
