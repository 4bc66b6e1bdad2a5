/**
 * Goal: a terminal shows the same whether its bytes come whole or cut anywhere.
 * Method: text with characters of every width, cut at random, into a real headless xterm.js.
 */
import { fc, test } from '@fast-check/vitest';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import xterm from '@xterm/headless';
import { describe, test as example, expect } from 'vitest';

const screen = (terminal: InstanceType<typeof xterm.Terminal>): string => {
  const lines: string[] = [];
  for (let row = 0; row < terminal.rows; row++) {
    lines.push(terminal.buffer.active.getLine(row)!.translateToString(true));
  }
  return lines.join('\n');
};

const makeTerminal = (): InstanceType<typeof xterm.Terminal> =>
  new xterm.Terminal({ cols: 40, rows: 10, allowProposedApi: true });

describe('the xterm sink', () => {
  test.prop(
    [
      fc.array(fc.constantFrom('a', 'é', '─', '日', '🙂', '\x1b[31m', '\r\n'), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 }),
    ],
    { numRuns: Number(process.env['FC_RUNS'] ?? 60) },
  )('draws cut characters whole', async (pieces, cuts) => {
    const bytes = Buffer.from(pieces.join(''));
    const whole = makeTerminal();
    await new Promise<void>((resolve) => whole.write(bytes, resolve));
    const cut = makeTerminal();
    const sink = xtermSink(cut);
    for (let start = 0, turn = 0; start < bytes.length; turn++) {
      const end = start + cuts[turn % cuts.length]!;
      await sink.write(bytes.subarray(start, end));
      start = end;
    }
    expect(screen(cut)).toBe(screen(whole));
  });

  example('the terminal alone loses the character (if this fails, the carry can go)', async () => {
    const terminal = makeTerminal();
    await new Promise<void>((resolve) => terminal.write(Uint8Array.of(0x61, 0xe2, 0x80), resolve));
    await new Promise<void>((resolve) => terminal.write(Uint8Array.of(0x94, 0x62), resolve));
    expect(screen(terminal).trim()).toBe('ab');
  });
});
