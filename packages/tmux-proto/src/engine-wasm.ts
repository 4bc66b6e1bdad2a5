/**
 * The WebAssembly SIMD engine: one call of the kernel for all whole lines of a chunk, then a walk of its tape.
 *
 * ```text
 * memory  0        1024       16384     65536            +256 KiB +64     +256 KiB +64      +64 KiB
 *         | state  | tables   |         | receive buffer | slack | decoded bytes  | slack | tape |
 * ```
 * W1: the tape holds addresses; handlers see one array over the whole memory.
 * W2: the machine's state is the truth: it is handed to the kernel with every call, and the kernel's tape
 *     brings it to where the kernel stopped (K4).
 * W3: the memory never grows, so no view of it is ever detached; a line that doesn't fit goes to the plain
 *     JavaScript engine, in an arena of its own.
 *
 * Cost: no allocation; the same for any content (`npm run bench -w packages/tmux-proto`, row "flatness").
 */
import { Arena, ArenaPool, SLACK } from './arena.ts';
import { JsMachine } from './engine-js.ts';
import { ParserError } from './errors.ts';
import type { ControlHandler, ParserOptions } from './handler.ts';
import { KERNEL_BASE64 } from './kernel.wasm.ts';

const STATE = 256;
const RECEIVE = 65536;
const CAPACITY = 256 * 1024;
const OUT = RECEIVE + CAPACITY + SLACK;
const TAPE = OUT + CAPACITY + SLACK;
const TAPE_EVENTS = 4096;
const MEMORY_BYTES = TAPE + TAPE_EVENTS * 16;

const STRIP_CR = 1;
const EOL_KNOWN = 2;
const DCS = 4;
const GLUED = 8;
const LAZY = 16;
const OUTPUT = 1;
const EXTENDED = 2;
const REPLY = 3;
const OTHER = 4;
const LEAVE = 5;
const RAW_OUTPUT = 6;
const BEGIN = 8;
const END = 9;
const ERROR = 10;

/** What the kernel exports; addresses and counts are u32. */
interface Kernel {
  init(): void;
  parse(limit: number, tape: number, capacity: number, state: number, out: number): number;
  linesEnd(low: number, high: number): number;
  decode(start: number, to: number): number;
}

let compiled: WebAssembly.Module | undefined;
let refusal: unknown;

function kernelBytes(): Uint8Array {
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array };
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, KERNEL_BASE64);
  const text = atob(KERNEL_BASE64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** Compiles the kernel once; returns undefined where WebAssembly, SIMD or the security policy forbid it. */
function compile(): WebAssembly.Module | undefined {
  if (compiled !== undefined || refusal !== undefined) return compiled;
  try {
    compiled = new WebAssembly.Module(kernelBytes() as BufferSource);
  } catch (error) {
    refusal = error;
  }
  return compiled;
}

/** Whether the engine can run here. */
export const isWasmAvailable = (): boolean => compile() !== undefined;

class WasmArena extends Arena {
  readonly kernel: Kernel;
  readonly state: Uint32Array;
  readonly tape: Uint32Array;

  constructor(module: WebAssembly.Module) {
    const pages = Math.ceil(MEMORY_BYTES / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages }); // W3
    super(new Uint8Array(memory.buffer), RECEIVE);
    this.limit = RECEIVE + CAPACITY;
    this.kernel = new WebAssembly.Instance(module, { env: { memory } })
      .exports as unknown as Kernel;
    this.kernel.init();
    this.state = new Uint32Array(memory.buffer, STATE, 4);
    this.tape = new Uint32Array(memory.buffer, TAPE, TAPE_EVENTS * 4);
  }

  override linesEnd(): number {
    const end = this.kernel.linesEnd(this.scanned, this.end);
    if (end !== 0) return end;
    this.scanned = this.end;
    return this.pos;
  }
}

/** Of all parsers over the kernel; only where `isWasmAvailable`. */
export const wasmArenas: ArenaPool = new ArenaPool(() => new WasmArena(compile()!));

/** A parser's machine over the kernel. */
export class WasmMachine extends JsMachine {
  readonly #flags: number;
  readonly #ownExtended: boolean;
  #kernel: Kernel | undefined;

  constructor(handler: ControlHandler, options: ParserOptions, pool: ArenaPool = wasmArenas) {
    if (pool === wasmArenas && compile() === undefined) {
      throw new ParserError('ERR_TMUX_ENGINE', `engine=wasm can't run here: ${refusal}`);
    }
    super(handler, options, pool);
    this.#flags = (this.gluedGuards ? GLUED : 0) | (this.eager ? 0 : LAZY);
    this.#ownExtended = handler.extendedOutput !== undefined;
  }

  override get engine(): 'js' | 'wasm' {
    return 'wasm';
  }

  protected override parseLines(arena: Arena, limit: number): void {
    if (!(arena instanceof WasmArena)) {
      this.#kernel = undefined;
      super.parseLines(arena, limit); // W3
      return;
    }
    const { kernel, state } = arena;
    this.#kernel = kernel;
    do {
      state[0] = arena.pos; // W2
      state[1] = this.inBlock ? 1 : 0;
      state[2] =
        this.#flags |
        (this.stripCr ? STRIP_CR : 0) |
        (this.eolKnown ? EOL_KNOWN : 0) |
        (this.insideDcs ? DCS : 0);
      if (this.inBlock) {
        state[3] = this.guardLength;
        arena.bytes.set(this.guardText, STATE + 16);
      }
      const count = kernel.parse(limit, TAPE, TAPE_EVENTS, STATE, OUT);
      arena.pos = state[0]!;
      this.#walk(arena, count);
    } while (arena.pos < limit && this.insideControlMode);
  }

  /** Delivers the events of the tape. */
  #walk(arena: WasmArena, count: number): void {
    const { tape, bytes } = arena;
    const handler = this.handler;
    const ownExtended = this.#ownExtended;
    const stop = count * 4;
    let at = 0;
    while (at < stop) {
      try {
        while (at < stop) {
          const word = tape[at]!;
          at += 4; // M5
          if (word === OUTPUT) {
            handler.output!(tape[at - 3]!, bytes, tape[at - 2]!, tape[at - 1]!);
          } else if ((word & 255) === EXTENDED) {
            if (ownExtended) {
              handler.extendedOutput!(
                tape[at - 3]!,
                word >>> 8,
                bytes,
                tape[at - 2]!,
                tape[at - 1]!,
              );
            } else {
              handler.output!(tape[at - 3]!, bytes, tape[at - 2]!, tape[at - 1]!);
            }
          } else if (word === REPLY) {
            this.replyLine(bytes, tape[at - 2]!, tape[at - 1]!);
          } else if (word === OTHER) {
            this.line(bytes, tape[at - 2]!, tape[at - 1]!);
          } else if (word === END || word === ERROR) {
            this.closeBlock(word === ERROR);
          } else if (word === BEGIN) {
            this.beginBlock(bytes, tape[at - 2]!, tape[at - 1]!, tape[at - 3]! === 1);
          } else if (word === LEAVE) {
            this.leaveDcs();
          } else {
            const ageMs = word === RAW_OUTPUT ? -1 : word >>> 8;
            this.deliverOutput(tape[at - 3]!, ageMs, bytes, tape[at - 2]!, tape[at - 1]!);
          }
        }
      } catch (error) {
        this.handlerFailed(error);
      }
    }
  }

  protected override decode(bytes: Uint8Array, start: number, end: number): number {
    const kernel = this.#kernel;
    // An eager walk may still hold decoded bytes in `out`: a rare line is decoded in place instead.
    if (kernel === undefined || this.eager) return super.decode(bytes, start, end);
    bytes[end] = 10; // the line is spent; a CR of its end is not payload
    this.decodedStart = OUT;
    return kernel.decode(start, OUT);
  }
}
