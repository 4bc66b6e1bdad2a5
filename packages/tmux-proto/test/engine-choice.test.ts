/**
 * Goal: without WebAssembly everything works as with it, and asking for it says why it can't be. Method: fresh
 * copies of the module in a world where compiling is forbidden, as a content security policy does.
 */
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test('auto takes the fast engine here', async () => {
  const { ControlParser, isWasmAvailable } = await import('@millrace/tmux-proto');
  expect(isWasmAvailable()).toBe(true);
  expect(new ControlParser({}).engine).toBe('wasm');
  expect(new ControlParser({}, { engine: 'js' }).engine).toBe('js');
});

test('adaptive takes the fast engine in a flood, not for a few screens', async () => {
  const { ControlParser } = await import('@millrace/tmux-proto');
  let count = 0;
  const handler = { output: () => count++ };
  const parser = new ControlParser(handler, { engine: 'adaptive', framing: 'lines' });
  const line = String.raw`%output %1 0123456789\015\012`.concat('\n');
  const small = Buffer.from(line.repeat(100)); // 3 KB
  const large = Buffer.from(line.repeat(2000)); // 60 KB
  for (let read = 0; read < 50; read++) parser.push(small);
  expect(parser.engine).toBe('js');
  for (let read = 0; read < 30; read++) parser.push(large);
  expect(parser.engine).toBe('wasm');
  expect(count).toBe(50 * 100 + 30 * 2000);
});

test.each([
  [
    'a policy that forbids compiling',
    {
      Module: class {
        constructor() {
          throw new EvalError('unsafe-eval');
        }
      },
    },
  ],
  ['no WebAssembly at all', undefined],
])('%s: auto falls back, wasm throws', async (_, WebAssembly) => {
  vi.resetModules();
  vi.stubGlobal('WebAssembly', WebAssembly);
  const { ControlParser, isWasmAvailable } = await import('@millrace/tmux-proto');
  expect(isWasmAvailable()).toBe(false);
  const seen: number[] = [];
  const parser = new ControlParser({ output: (pane) => seen.push(pane) });
  expect(parser.engine).toBe('js');
  parser.push(Buffer.from('%output %7 x\n'));
  expect(seen).toEqual([7]);
  const adaptive = new ControlParser({ output: (pane) => seen.push(pane) }, { engine: 'adaptive' });
  for (let read = 0; read < 30; read++) adaptive.push(Buffer.alloc(65_520, '%output %7 x\n'));
  expect(adaptive.engine).toBe('js');
  expect(seen).toHaveLength(1 + 30 * (65_520 / 13));
  expect(() => new ControlParser({}, { engine: 'wasm' })).toThrow(
    expect.objectContaining({ code: 'ERR_TMUX_ENGINE' }),
  );
});
