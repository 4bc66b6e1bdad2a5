/**
 * One access to shared memory: what a model operation asks for, before it is known what it returns.
 *
 * A value is carried as its bits (`Raw`): up to 4 bytes as a number (1 and 2 bytes zero-extended, 4 bytes as
 * int32), 8 bytes as an unsigned bigint, any other length as a string of char codes 0..255. So -0, NaN and
 * the element types need no care anywhere but in the views, and equal raw values are equal bit patterns.
 */

/** Bits of a value. */
export type Raw = number | bigint | string;

/** What an access does. Up to `xor` it is one atomic step on one element. */
export const Kind = {
  load: 0,
  store: 1,
  exchange: 2,
  compareExchange: 3,
  add: 4,
  sub: 5,
  and: 6,
  or: 7,
  xor: 8,
  wait: 9,
  waitAsync: 10,
  notify: 11,
  read: 12,
  write: 13,
  pause: 14,
  /** An operation that touches nothing shared still takes one step, so that its call can be ordered. */
  none: 15,
  /** An async thread with nothing left to run: waits for a wake-up or a timer. */
  idle: 16,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Names of the kinds for traces, by number. */
export const kindNames: readonly string[] = Object.keys(Kind);

export interface Access {
  readonly kind: Kind;
  /** First byte in the model's one address space. */
  readonly at: number;
  readonly bytes: number;
  /** Operand: value stored, expected value, or number of waiters to wake. */
  readonly a: Raw;
  /** Second operand: the replacement of `compareExchange`; the timers of `idle`. */
  readonly b: Raw;
  /** Of `wait` and `waitAsync`; Infinity when there is none. */
  readonly timeoutMs: number;
}

/** What `Atomics.wait` returns, by raw value. */
export const waitResults = ['ok', 'not-equal', 'timed-out'] as const;
export const waitRaw = { ok: 0, notEqual: 1, timedOut: 2 } as const;

/** Whether the kind is one atomic read, write or read-modify-write. */
export const isAtomic = (kind: Kind): boolean => kind <= Kind.xor;

/** Whether the access is plain, hence no scheduling point. */
export const isPlain = (kind: Kind): boolean => kind === Kind.read || kind === Kind.write;

const truncated = (value: number, bytes: number): number =>
  bytes === 4 ? value | 0 : value & (bytes === 2 ? 0xffff : 0xff);

const big = (kind: Kind, old: bigint, a: bigint, b: bigint): bigint => {
  switch (kind) {
    case Kind.store:
    case Kind.exchange:
      return a;
    case Kind.compareExchange:
      return old === a ? b : old;
    case Kind.add:
      return BigInt.asUintN(64, old + a);
    case Kind.sub:
      return BigInt.asUintN(64, old - a);
    case Kind.and:
      return old & a;
    case Kind.or:
      return old | a;
    case Kind.xor:
      return old ^ a;
    default:
      return old;
  }
};

/** The value in memory after an atomic access that found `old`. */
export const applied = (access: Access, old: Raw): Raw => {
  const { kind, bytes, a, b } = access;
  if (typeof old === 'bigint') return big(kind, old, a as bigint, b as bigint);
  const x = old as number;
  const y = a as number;
  switch (kind) {
    case Kind.store:
    case Kind.exchange:
      return y;
    case Kind.compareExchange:
      return x === y ? b : x;
    case Kind.add:
      return truncated(x + y, bytes);
    case Kind.sub:
      return truncated(x - y, bytes);
    case Kind.and:
      return x & y;
    case Kind.or:
      return x | y;
    case Kind.xor:
      return x ^ y;
    default:
      return x;
  }
};

/** Whether an atomic access that found `old` writes: all but `load` and a failed `compareExchange`. */
export const writes = (access: Access, old: Raw): boolean =>
  access.kind !== Kind.load && (access.kind !== Kind.compareExchange || old === access.a);

/** Whether two accesses ask for the same thing: what a deterministic replay must do. */
export const sameAccess = (x: Access, y: Access): boolean =>
  x.kind === y.kind &&
  x.at === y.at &&
  x.bytes === y.bytes &&
  x.a === y.a &&
  x.b === y.b &&
  x.timeoutMs === y.timeoutMs;

/** Raw bits of `bytes` bytes read one by one. */
export const rawFrom = (byteAt: (index: number) => number, at: number, bytes: number): Raw => {
  if (bytes === 1) return byteAt(at);
  if (bytes === 2) return byteAt(at) | (byteAt(at + 1) << 8);
  if (bytes === 4) return word(byteAt, at);
  if (bytes === 8) {
    return (BigInt(word(byteAt, at + 4) >>> 0) << 32n) | BigInt(word(byteAt, at) >>> 0);
  }
  let text = '';
  for (let index = 0; index < bytes; index++) text += String.fromCharCode(byteAt(at + index));
  return text;
};

const word = (byteAt: (index: number) => number, at: number): number =>
  byteAt(at) | (byteAt(at + 1) << 8) | (byteAt(at + 2) << 16) | (byteAt(at + 3) << 24);

/** Byte `index` of a raw value of `bytes` bytes. */
export const rawByte = (raw: Raw, index: number): number => {
  if (typeof raw === 'number') return (raw >>> (index * 8)) & 0xff;
  if (typeof raw === 'bigint') return Number((raw >> BigInt(index * 8)) & 0xffn);
  return raw.charCodeAt(index);
};
