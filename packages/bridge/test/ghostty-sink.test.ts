/**
 * Goal: Ghostty's terminal shows the same whether its bytes come whole or cut anywhere, and nothing makes it trap.
 * Method: ghostty-web's real wasm in Node; text with characters of every width, cut at random.
 */
import { fc, test } from '@fast-check/vitest';
import { ghosttySink, loadGhostty } from '@millrace/bridge/sinks/ghostty';
import { describe, expect } from 'vitest';

const ghostty = await loadGhostty();

type Terminal = ReturnType<typeof ghostty.createTerminal>;

const screen = (terminal: Terminal): string => {
  const rows: string[] = [];
  for (let row = 0; row < terminal.rows; row++) {
    const cells = terminal.getLine(row) ?? [];
    rows.push(cells.map((cell) => String.fromCodePoint(cell.codepoint || 32)).join(''));
  }
  return rows.join('\n');
};

describe('the ghostty sink', () => {
  test.prop(
    [
      fc.array(fc.constantFrom('a', 'é', '─', '日', '🙂', '\x1b[31m', '\r\n'), { maxLength: 40 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
    ],
    { numRuns: Number(process.env['FC_RUNS'] ?? 40) },
  )('draws cut characters whole, and empty writes do no harm', (pieces, cuts) => {
    const bytes = Buffer.from(`start ${pieces.join('')}`);
    const whole = ghostty.createTerminal(40, 10);
    whole.write(bytes);
    const cut = ghostty.createTerminal(40, 10);
    const sink = ghosttySink(cut);
    let start = 0;
    for (let turn = 0; start < bytes.length; turn++) {
      const end = start + (cuts[turn % cuts.length]! || Number(turn % 2));
      sink.write(bytes.subarray(start, end));
      start = end;
    }
    expect(screen(cut)).toBe(screen(whole));
    expect(screen(cut)).toContain('start');
    whole.free();
    cut.free();
  });
});
