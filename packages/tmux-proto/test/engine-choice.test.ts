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
  expect(() => new ControlParser({}, { engine: 'wasm' })).toThrow(
    expect.objectContaining({ code: 'ERR_TMUX_ENGINE' }),
  );
});
