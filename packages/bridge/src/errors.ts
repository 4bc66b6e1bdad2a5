/**
 * Every error that the bridge throws, rejects with or hands to `session.closed`.
 *
 * One class with a stable `code`: callers branch on the code, people read the message, which names the
 * argument or the event, its value and the limit.
 */

/** What went wrong, as a stable name. */
export type BridgeErrorCode =
  /** An option is missing, of the wrong type or out of range. */
  | 'ERR_BRIDGE_ARGUMENT'
  /** The tmux program can't be started. */
  | 'ERR_TMUX_NOT_FOUND'
  /** The tmux program is older than the bridge supports. */
  | 'ERR_TMUX_VERSION'
  /** tmux started but refused to attach: no server, no such session, or its own message. */
  | 'ERR_TMUX_CONNECT'
  /** The connection ended without being asked to: tmux died, was killed, or closed the pipe. */
  | 'ERR_TMUX_EXITED'
  /** The connection broke and another is being tried, or all attempts failed. A command may or may not have run. */
  | 'ERR_TMUX_DISCONNECTED'
  /** The session's thread was stuck for longer than `watchdogMs`, so the tmux client was ended. */
  | 'ERR_WATCHDOG'
  /** What arrives isn't the control protocol. */
  | 'ERR_TMUX_PROTOCOL'
  /** tmux refused a command; the message is tmux's. */
  | 'ERR_TMUX_COMMAND'
  /** No reply came in time. */
  | 'ERR_TMUX_TIMEOUT'
  /** No reply came in time because none could be read: a lossless sink holds the session up, and `aheadBytesMax` is used up. */
  | 'ERR_SESSION_HELD'
  /** More commands wait for replies than `commandsMax`. */
  | 'ERR_TMUX_QUEUE'
  /** The operation needs an open session and this one is closed or closing. */
  | 'ERR_SESSION_CLOSED'
  /** A sink's `write` threw or rejected; `cause` is what it threw. */
  | 'ERR_SINK_FAILED'
  /**
   * A sink held its session up for longer than `stalledMs` without accepting anything; or, with a tmux before 3.2, which
   * doesn't wait for a client that lags, until `aheadBytesMax` had come.
   */
  | 'ERR_SINK_STALLED'
  /** What is received can't be written to `recordTo`: disk full, no such folder; `cause` is the system's error. */
  | 'ERR_RECORDING_WRITE'
  /** What came over a WebSocket isn't the frame format, or isn't allowed; `frames.ts` draws it. */
  | 'ERR_VIEWER_PROTOCOL'
  /** The file is no recording, or is damaged. */
  | 'ERR_RECORDING_FORMAT'
  /** A part of this package that is loaded when it is first needed can't be: too many open files, or it is gone. */
  | 'ERR_BRIDGE_LOAD'
  /** The worker thread died; `cause` is its error. */
  | 'ERR_WORKER_FAILED';

/**
 * Signals a failure of the bridge or of what it is connected to.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { BridgeError, connect } from '@millrace/bridge';
 *
 * await assert.rejects(
 *   connect({ tmux: '/nowhere/tmux' }),
 *   (error) => error instanceof BridgeError && error.code === 'ERR_TMUX_NOT_FOUND',
 * );
 * ```
 */
export class BridgeError extends Error {
  /** Always `BridgeError`. */
  override readonly name = 'BridgeError';
  /** Stable name of the failure. */
  readonly code: BridgeErrorCode;

  /**
   * @param code - stable name of the failure
   * @param message - what happened, with the offending value
   * @param cause - the underlying error, if there is one
   */
  constructor(code: BridgeErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Returns a value as a message shows it: short, and whatever it is. */
function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol') {
    return String(value);
  }
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 80);
  } catch {
    return 'an object';
  }
}

/** Throws `ERR_BRIDGE_ARGUMENT` unless what a caller gave is what it must be. */
export function checkArgument(
  holds: boolean,
  name: string,
  must: string,
  value: unknown,
): asserts holds {
  if (holds) return;
  throw new BridgeError('ERR_BRIDGE_ARGUMENT', `${name} must be ${must}: ${name}=${shown(value)}`);
}

/** Throws `ERR_BRIDGE_ARGUMENT` unless `value` is an integer within the bounds (both included). */
export function checkInteger(name: string, value: number, minimum: number, maximum: number): void {
  const holds = Number.isInteger(value) && value >= minimum && value <= maximum;
  checkArgument(holds, name, `an integer from ${minimum} to ${maximum}`, value);
}

/** Throws `ERR_BRIDGE_ARGUMENT` unless `value` is an object, such as options are. */
export function checkObject(name: string, value: unknown): void {
  checkArgument(typeof value === 'object' && value !== null, name, 'an object', value);
}

/** Throws `ERR_BRIDGE_ARGUMENT` unless `value` is an object with these methods. */
export function checkMethods(name: string, value: unknown, ...methods: readonly string[]): void {
  const isThing = (typeof value === 'object' || typeof value === 'function') && value !== null;
  const holds =
    isThing && methods.every((method) => typeof Reflect.get(value, method) === 'function');
  checkArgument(holds, name, `an object with the method ${methods.join(', ')}`, value);
}

/**
 * Runs a function of the caller's. What it throws is thrown again where nobody catches it (`uncaughtException`), as for
 * any other listener: nothing of ours is disturbed, and nothing is hidden.
 */
export function apart<Value>(run: () => Value, otherwise: Value): Value {
  try {
    return run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return otherwise;
  }
}
