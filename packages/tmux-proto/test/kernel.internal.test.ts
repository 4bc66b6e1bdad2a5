/**
 * Goal: the kernel touches no memory but its own: each buffer in turn ends where the memory ends, so that an
 * overrun traps, and everything that isn't a buffer is a canary. Its events equal a model's. And the checked-in
 * bytes are what the source builds to. Method: fast-check over garbage and well-formed streams.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildKernel } from '../scripts/build-kernel.ts';
import { decodeInto } from '../src/escape.ts';
import { KERNEL_BASE64 } from '../src/kernel.wasm.ts';
import { garbage, wellFormed } from './support/arbitraries.ts';

test('src/kernel.wasm.ts is what assembly/kernel.ts builds to', async () => {
  const checkedIn = readFileSync(new URL('../src/kernel.wasm.ts', import.meta.url), 'utf8');
  expect(await buildKernel()).toBe(checkedIn);
});

test('the kernel is small enough to be compiled at once on the main thread of any browser', () => {
  expect(Buffer.from(KERNEL_BASE64, 'base64').length).toBeLessThan(4096);
});

const PAGE = 65536;
const MEMORY = 3 * PAGE;
const CANARY = 0xa5;
const STATE_BYTES = 16 + 62;
const READ_AHEAD = 64; // behind limit
const WRITE_AHEAD = 16; // behind the last decoded byte
const EVENTS = 64;

const module = new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64'));
const memory = new WebAssembly.Memory({ initial: 3, maximum: 3 });
const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as {
  init(): void;
  parse(limit: number, tape: number, capacity: number, state: number, out: number): number;
  linesEnd(low: number, high: number): number;
  decode(start: number, to: number): number;
};
const bytes = new Uint8Array(memory.buffer);
const view = new DataView(memory.buffer);

/** Where the buffers are; one of them ends with the memory. */
function place(last: 'receive' | 'out' | 'tape' | 'state', length: number, outBytes: number) {
  const sizes = {
    receive: length + READ_AHEAD,
    out: outBytes + WRITE_AHEAD,
    tape: EVENTS * 16,
    state: 80,
  };
  const at = { receive: PAGE, out: PAGE + 40_000, tape: PAGE + 80_000, state: PAGE + 90_000 };
  at[last] = MEMORY - sizes[last];
  if (last === 'state') at.state = MEMORY - STATE_BYTES;
  return at;
}

interface Event {
  kind: number;
  pane: number;
  text: string;
}

/**
 * Runs the kernel over `input` (whole lines) and checks every byte that it may not change. `outBytes` is the
 * most that one call writes to out.
 */
function runKernel(
  input: Uint8Array,
  last: Parameters<typeof place>[0],
  flags: number,
  outBytes: number = input.length,
): { events: Event[]; outBytes: number } {
  const at = place(last, input.length, outBytes);
  let outMost = 0;
  bytes.fill(CANARY);
  kernel.init();
  bytes.set(input, at.receive);
  const before = bytes.slice();
  const limit = at.receive + input.length;
  const events: Event[] = [];
  const [pos, inBlock, flagsAt] = [at.state, at.state + 4, at.state + 8];
  view.setUint32(pos, at.receive, true);
  view.setUint32(inBlock, 0, true);
  view.setUint32(flagsAt, flags, true);
  view.setUint32(at.state + 12, 0, true);
  for (;;) {
    const from = view.getUint32(pos, true);
    const count = kernel.parse(limit, at.tape, EVENTS, at.state, at.out);
    let written = at.out;
    for (let index = 0; index < count; index++) {
      const entry = at.tape + index * 16;
      const kind = view.getUint32(entry, true);
      const start = view.getUint32(entry + 8, true);
      const end = view.getUint32(entry + 12, true);
      expect(end).toBeGreaterThanOrEqual(start);
      if (start >= at.out && start < at.out + input.length + WRITE_AHEAD) {
        // K2: one after the other; a CR of the line's end may lie between.
        expect(start).toBeGreaterThanOrEqual(written === at.out ? written : written - 1);
        expect(start).toBeLessThanOrEqual(written);
        expect(end - at.out).toBeLessThanOrEqual(view.getUint32(pos, true) - from); // K3
        written = end + 1;
      } else {
        expect(start).toBeGreaterThanOrEqual(at.receive);
        expect(end).toBeLessThan(limit);
      }
      events.push({
        kind,
        pane: view.getUint32(entry + 4, true),
        text: Buffer.from(bytes.subarray(start, end)).toString('latin1'),
      });
    }
    outMost = Math.max(outMost, written - at.out);
    if (count < EVENTS) break;
  }
  expect(view.getUint32(pos, true)).toBe(limit);
  // Canaries: nothing changed but state, the tape, and out with its slack.
  const after = bytes.slice();
  for (const [start, length] of [
    [at.state, STATE_BYTES],
    [at.tape, EVENTS * 16],
    [at.out, outMost + WRITE_AHEAD],
  ] as const) {
    after.set(before.subarray(start, start + length), start);
  }
  expect(Buffer.compare(after, before)).toBe(0);
  return { events, outBytes: outMost };
}

/** The model: the same lines by regular expressions. */
function model(input: Uint8Array, stripCr: boolean, lazy: boolean): Event[] {
  const events: Event[] = [];
  let block: string | undefined;
  let known = false;
  const decode = (text: string): string => {
    const raw = Buffer.from(text, 'latin1');
    const target = Buffer.alloc(raw.length);
    return target.subarray(0, decodeInto(raw, 0, raw.length, target)).toString('latin1');
  };
  for (const line of Buffer.from(input).toString('latin1').split('\n').slice(0, -1)) {
    const text: string = stripCr && line.endsWith('\r') ? line.slice(0, -1) : line;
    if (block !== undefined) {
      if (text === `%end ${block}` || text === `%error ${block}`) {
        block = undefined;
        const kind = text.startsWith('%end') ? 9 : 10;
        events.push({ kind, pane: text === line ? 0 : 1, text: line });
      } else events.push({ kind: 3, pane: text === line ? 0 : 1, text });
      continue;
    }
    const output = /^%output %(\d{1,9}) (.*)$/s.exec(text);
    const extended = /^%extended-output %(\d{1,9}) (\d{1,7}) : (.*)$/s.exec(text);
    const base = lazy ? 5 : 0;
    if (output) {
      const body = lazy ? output[2]! : decode(output[2]!);
      events.push({ kind: base + 1, pane: Number(output[1]), text: body });
    } else if (extended) {
      const body = lazy ? extended[3]! : decode(extended[3]!);
      const kind = ((base + 2) | (Number(extended[2]) << 8)) >>> 0;
      events.push({ kind, pane: Number(extended[1]), text: body });
    } else {
      if (/^%begin \d{1,20} \d{1,20}( \d{1,20})?$/.test(text)) {
        block = text.slice(7);
        if (!known) stripCr = text !== line;
        known = true;
        events.push({ kind: 8, pane: text === line ? 0 : 1, text: block });
        continue;
      }
      events.push({ kind: 4, pane: text === line ? 0 : 1, text: line });
    }
  }
  return events;
}

const lines = fc
  .oneof(garbage, wellFormed)
  .map((input) => Buffer.concat([input, Buffer.from('\n')]).subarray(-30_000));

describe.each(['receive', 'out', 'tape', 'state'] as const)('%s ends with the memory', (last) => {
  test.each([
    ['eager', 0],
    ['lazy', 16],
  ])('%s: no trap, no canary touched, every event right', (_, lazy) => {
    fc.assert(
      fc.property(lines, fc.boolean(), (input, stripCr) => {
        const flags = lazy | (stripCr ? 1 : 2);
        // Again with out as short as it may be: a write too far would trap, or change a canary.
        const { outBytes } = runKernel(input, last, flags);
        const { events } = runKernel(input, last, flags, outBytes);
        const wanted = model(input, stripCr, lazy !== 0);
        expect(events).toEqual(wanted);
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 400) / 4 },
    );
  });
});

test('an overrun would trap: the detector fires', () => {
  expect(() => kernel.linesEnd(MEMORY, MEMORY + 32)).toThrow(WebAssembly.RuntimeError);
  // No LF before the end of the memory: the search runs into it.
  bytes.fill(0x61, MEMORY - 100);
  bytes.set(Buffer.from('%output %1 '), MEMORY - 100);
  view.setUint32(PAGE, MEMORY - 100, true);
  view.setUint32(PAGE + 4, 0, true);
  expect(() => kernel.parse(MEMORY, PAGE + 1024, 4, PAGE, PAGE + 2048)).toThrow(
    WebAssembly.RuntimeError,
  );
});

test('linesEnd and decode agree with the obvious', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), (input, offset) => {
      const low = PAGE + offset;
      bytes.fill(CANARY);
      kernel.init();
      bytes.set(
        input.map((byte) => (byte < 40 ? 10 : byte)),
        low,
      );
      const text = bytes.subarray(low, low + input.length);
      const found = text.lastIndexOf(10);
      expect(kernel.linesEnd(low, low + input.length)).toBe(found < 0 ? 0 : low + found + 1);
      const payload = input.map((byte) => (byte === 10 ? 0x5c : byte));
      bytes.set(payload, low);
      bytes[low + payload.length] = 10;
      const target = new Uint8Array(payload.length);
      const length = decodeInto(payload, 0, payload.length, target);
      const to = MEMORY - payload.length - WRITE_AHEAD;
      expect(kernel.decode(low, to)).toBe(to + length);
      expect(bytes.slice(to, to + length)).toEqual(target.slice(0, length));
    }),
  );
});
