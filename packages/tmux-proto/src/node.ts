/**
 * Receiving in Node without a copy or an allocation for each read: sockets and child processes write straight
 * into the parser's memory, by the public option `onread` of `node:net`.
 *
 * @packageDocumentation
 */
import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import type { NetConnectOpts, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Not imported: an import evaluates every lazy part of the module, which for these two is half a megabyte.
const { mkdtempSync, rmSync } = process.getBuiltinModule('node:fs');
const { connect, createServer } = process.getBuiltinModule('node:net');

/** What is told while receiving. */
export interface ReceiveHooks {
  /**
   * Is told what the parser threw: the first error of a handler, or a limit. Receiving goes on.
   * @defaultValue the socket is destroyed with the error, as its event `error`
   */
  readonly onError?: (error: unknown) => void;
  /** Is told before parsing that bytes have come: to take the time, for example. */
  readonly onRead?: (count: number) => void;
}

/** What receives: a parser, or anything with memory to write to. */
export interface ReceiveTarget {
  /** Returns memory to write received bytes to. */
  target(): Uint8Array;
  /** Takes the first `count` bytes of that memory (0 to its length). */
  commit(count: number): void;
  /** Takes bytes that are elsewhere, borrowed until it returns: where a stream can't write to the target. */
  push(chunk: Uint8Array): void;
  /** Learns that no more bytes come. */
  end(): void;
}

/**
 * Connects to a socket whose bytes go straight to a parser; `parser.end()` is called when it closes.
 *
 * The parser keeps a receive buffer of its own from now on; don't `push` to it as well.
 * @param parser - any engine, or a target of your own
 * @param options - where to connect to, like `net.connect`, without `onread`
 * @param hooks - errors and times
 * @returns the socket: write commands to it, `pause` and `resume` it
 */
export function connectInto(
  parser: ReceiveTarget,
  options: NetConnectOpts,
  hooks: ReceiveHooks = {},
): Socket {
  const socket: Socket = connect({ ...options, onread: readInto(parser, hooks, fail) });
  function fail(error: unknown): void {
    socket.destroy(error instanceof Error ? error : new Error(String(error)));
  }
  socket.once('close', () => finish(parser, hooks, () => {}));
  return socket;
}

function readInto(
  parser: ReceiveTarget,
  hooks: ReceiveHooks,
  fail: (error: unknown) => void,
): { buffer: () => Uint8Array; callback: (count: number) => boolean } {
  const report = hooks.onError ?? fail;
  return {
    buffer: () => {
      try {
        return parser.target();
      } catch (error) {
        report(error); // the parser was ended while bytes still come
        return new Uint8Array(4096);
      }
    },
    callback: (count) => {
      try {
        hooks.onRead?.(count);
        parser.commit(count);
      } catch (error) {
        report(error);
      }
      return true;
    },
  };
}

function finish(
  parser: ReceiveTarget,
  hooks: ReceiveHooks,
  otherwise: (error: unknown) => void,
): void {
  try {
    parser.end();
  } catch (error) {
    (hooks.onError ?? otherwise)(error);
  }
}

/** A child process whose standard output goes to a parser. */
export interface ReceivingChild {
  /** The process; its `stdout` is null where the output comes through `socket`. */
  readonly child: ChildProcess;
  /** Where the output is read; pause and resume it. */
  readonly output: Socket | NodeJS.ReadableStream;
  /** Fulfilled when the output has ended and the parser was told so; rejected with what broke it off. */
  readonly ended: Promise<void>;
}

/**
 * Starts a program, such as `tmux -C`, whose standard output goes straight to a parser.
 *
 * A process's pipe has no `onread`, so the program is given one end of a connection over a private Unix socket,
 * which is removed at once. On Windows its pipe is read as usual.
 * @param parser - any engine, or a target of your own
 * @param command - the program
 * @param args - its arguments
 * @param options - like `child_process.spawn`; `stdio[1]` is taken
 * @param hooks - errors and times
 * @throws What `spawn` or the socket reports before the program runs.
 */
export async function spawnInto(
  parser: ReceiveTarget,
  command: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
  hooks: ReceiveHooks = {},
): Promise<ReceivingChild> {
  const given = options.stdio;
  const each = Array.isArray(given) ? undefined : (given ?? 'pipe');
  const stdio = (each === undefined ? [...(given as [])] : [each, each, each]) as unknown[];
  if (process.platform === 'win32') return spawnPiped(parser, command, args, options, hooks);
  const [ours, theirs] = await socketPair(parser, hooks);
  stdio[1] = theirs;
  const ended = new Promise<void>((resolve, reject) => {
    ours.once('error', reject);
    ours.once('close', () => resolve());
  });
  let child: ChildProcess;
  try {
    child = spawn(command, args, { ...options, stdio: stdio as StdioOptions });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } catch (error) {
    ours.destroy();
    await ended.catch(() => {});
    throw error;
  } finally {
    theirs.destroy(); // the program has its own copy
  }
  return { child, output: ours, ended };
}

/** Two ends of a connection: the first is read by the parser. */
async function socketPair(parser: ReceiveTarget, hooks: ReceiveHooks): Promise<[Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  const path = join(folder, 's');
  const server = createServer({ pauseOnConnect: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const ours = connectInto(parser, { path }, hooks);
    await new Promise<void>((resolve, reject) => {
      ours.once('connect', resolve);
      ours.once('error', reject);
    });
    return [ours, await accepted];
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function spawnPiped(
  parser: ReceiveTarget,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  hooks: ReceiveHooks,
): Promise<ReceivingChild> {
  const child = spawn(command, args, options);
  const output = child.stdout!;
  const ended = receiveInto(parser, output, hooks);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return { child, output, ended };
}

/**
 * Reads any Node stream into a parser by its event `data`, and ends the parser with it.
 *
 * @param parser - any engine, or a target of your own
 * @param stream - of Buffers
 * @param hooks - errors and times
 * @returns fulfilled when the stream has ended or closed, rejected if it failed
 */
export function receiveInto(
  parser: ReceiveTarget,
  stream: NodeJS.ReadableStream,
  hooks: ReceiveHooks = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      try {
        hooks.onRead?.(chunk.length);
        parser.push(chunk);
      } catch (error) {
        if (hooks.onError !== undefined) hooks.onError(error);
        else reject(error);
      }
    });
    const done = (): void => {
      finish(parser, hooks, reject);
      resolve();
    };
    stream.once('end', done);
    stream.once('close', done);
    stream.once('error', (error) => {
      finish(parser, hooks, reject);
      reject(error);
    });
  });
}
