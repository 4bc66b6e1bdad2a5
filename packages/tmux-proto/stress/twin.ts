/**
 * Runs the kernel's twin in C under AddressSanitizer, UndefinedBehaviorSanitizer and Valgrind, and compares it with
 * the kernel, event for event, on random streams: `npm run stress -w packages/tmux-proto [-- STREAMS]`.
 *
 * Allowed outcome: no difference, no report of any tool. Needs a C compiler for x86-64; Valgrind if it is there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { KERNEL_BASE64 } from '../src/kernel.wasm.ts';
import { garbage, wellFormed } from '../test/support/arbitraries.ts';

const EVENTS = 64;
const [RECEIVE, OUT, TAPE, STATE] = [65536, 65536 * 3, 65536 * 5, 256];
const memory = new WebAssembly.Memory({ initial: 6, maximum: 6 });
const module = new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64'));
const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as {
  init(): void;
  parse(limit: number, tape: number, capacity: number, state: number, out: number): number;
};
const bytes = Buffer.from(memory.buffer);
kernel.init();

const u32 = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

/** What the kernel says, in the form in which the twin prints it. */
function runKernel(flags: number, input: Buffer): Buffer {
  input.copy(bytes, RECEIVE);
  bytes.fill(0, RECEIVE + input.length, RECEIVE + input.length + 64);
  u32(RECEIVE, 0, flags, 0).copy(bytes, STATE);
  const parts: Buffer[] = [];
  let total = 0;
  let known = flags;
  for (;;) {
    bytes.writeUInt32LE(known, STATE + 8);
    const count = kernel.parse(RECEIVE + input.length, TAPE, EVENTS, STATE, OUT);
    for (let index = 0; index < count; index++) {
      const entry = TAPE + index * 16;
      const kind = bytes.readUInt32LE(entry);
      const pane = bytes.readUInt32LE(entry + 4);
      const start = bytes.readUInt32LE(entry + 8);
      const end = bytes.readUInt32LE(entry + 12);
      if (kind === 8 && (known & 2) === 0) known = pane === 1 ? known | 2 : (known | 2) & ~1;
      parts.push(u32(kind, pane, end - start), Buffer.from(bytes.subarray(start, end)));
    }
    total += count;
    if (count < EVENTS && bytes.readUInt32LE(STATE) >= RECEIVE + input.length) break;
  }
  return Buffer.concat([u32(total), ...parts]);
}

const streams = Number(process.argv[2] ?? 4000);
const cases = fc
  .sample(fc.tuple(fc.oneof(garbage, wellFormed), fc.nat(31)), streams)
  .map(([input, flags]) => ({
    flags,
    input: Buffer.concat([input, Buffer.from('\n')]).subarray(-60_000),
  }));
const stdin = Buffer.concat(cases.flatMap(({ flags, input }) => [u32(flags, input.length), input]));
const wanted = Buffer.concat(cases.map(({ flags, input }) => runKernel(flags, input)));

const folder = mkdtempSync(join(tmpdir(), 'twin-'));
const source = join(import.meta.dirname, 'kernel-twin.c');
let failed = false;
function run(name: string, flags: readonly string[], prefix: readonly string[]): void {
  const program = join(folder, name);
  execFileSync('cc', [
    '-std=gnu11',
    '-Wall',
    '-Wextra',
    '-mssse3',
    '-g',
    ...flags,
    source,
    '-o',
    program,
  ]);
  const [command = '', ...args] = [...prefix, program];
  const { status, stdout, stderr } = spawnSync(command, args, { input: stdin, maxBuffer: 1 << 30 });
  const equal = status === 0 && stdout.equals(wanted);
  failed ||= !equal;
  console.log(
    `${name}: ${equal ? 'equal, nothing reported' : `FAILED (status ${status})\n${stderr}`}`,
  );
}
try {
  console.log(`${streams} streams, ${stdin.length} bytes, ${wanted.length} bytes of events`);
  run('asan-ubsan', ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'], []);
  run('optimised', ['-O3'], []);
  if (spawnSync('valgrind', ['--version']).status === 0) {
    run('valgrind', ['-O1'], ['valgrind', '-q', '--error-exitcode=9', '--leak-check=full']);
  } else console.log('valgrind: not installed, not run');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
