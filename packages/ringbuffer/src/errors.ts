/** Typed errors: every failure has a stable `code`, and a message that names argument, value and limit. */

/** Stable identifier of a failure; the message may change, the code never does. */
export type RingErrorCode =
  /** `capacity`, `slotBytes`, `slotCount`, `laneCount` or another size at creation is out of range. */
  | 'ERR_RING_CAPACITY'
  /** A length, offset, limit or kind passed to a method is out of range. */
  | 'ERR_RING_ARGUMENT'
  /** An argument has the wrong type. */
  | 'ERR_RING_TYPE'
  /** The memory passed to attach is no ring of the expected kind and version. */
  | 'ERR_RING_FORMAT'
  /** The operation needs a peer that is still there. */
  | 'ERR_RING_CLOSED'
  /** There is no room, and the policy is to fail. */
  | 'ERR_RING_FULL'
  /** Control words in the shared memory contradict each other. */
  | 'ERR_RING_CORRUPT'
  /** Calls in an order that the handle doesn't allow, such as `commit` without `claim`. */
  | 'ERR_RING_ORDER'
  /** This thread may not block. */
  | 'ERR_RING_BLOCKING'
  /** Another thread or handle owns this end. */
  | 'ERR_RING_OWNER'
  /** The platform lacks something that was asked for. */
  | 'ERR_RING_UNSUPPORTED';

/**
 * A number passed to the package is outside its range.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { createRing } from '@millrace/ringbuffer';
 *
 * assert.throws(() => createRing({ capacity: 12 }), { code: 'ERR_RING_CAPACITY' });
 * ```
 */
export class RingRangeError extends RangeError {
  /** Name of the class. */
  override readonly name: string = 'RingRangeError';
  /** What went wrong, for programs. */
  readonly code: RingErrorCode;
  constructor(code: RingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** An argument has the wrong type, or the memory isn't a ring. */
export class RingTypeError extends TypeError {
  /** Name of the class. */
  override readonly name: string = 'RingTypeError';
  /** What went wrong, for programs. */
  readonly code: RingErrorCode;
  constructor(code: RingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The ring, or the handle, is not in a state that allows the call. */
export class RingStateError extends Error {
  /** Name of the class. */
  override readonly name: string = 'RingStateError';
  /** What went wrong, for programs. */
  readonly code: RingErrorCode;
  constructor(code: RingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The other end is gone, or this end was closed; `end` says how and why. */
export class RingClosedError extends RingStateError {
  /** Name of the class. */
  override readonly name: string = 'RingClosedError';
  /** How the end that went away ended. */
  readonly end: RingEnd;
  constructor(message: string, end: RingEnd) {
    super('ERR_RING_CLOSED', message);
    this.end = end;
  }
}

/** How one end of a ring ended. */
export interface RingEnd {
  /** `closed` by its own `close(reason)`; `dead` when a third party called `markDead`. */
  readonly how: 'closed' | 'dead';
  /** The text passed to `close` or `markDead`, cut at 56 bytes of UTF-8; empty if there was none. */
  readonly reason: string;
}
