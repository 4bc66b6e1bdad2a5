/**
 * Goal: every engine tells exactly what a slow, obvious oracle tells, whatever the bytes and however they are
 * cut (M1 to M6). Method: fast-check, garbage and well-formed streams, all framings and limit policies; each
 * chunk is overwritten after its push. FC_RUNS scales the number of runs, FC_SEED repeats one.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutting, garbage, wellFormed } from './support/arbitraries.ts';
import { run } from './support/collect.ts';
import { engines } from './support/engines.ts';
import { oracle } from './support/oracle.ts';

const runs = Number(process.env['FC_RUNS'] ?? 400);
const seed = process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) };

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
