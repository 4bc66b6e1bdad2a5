/**
 * Debug mode: which handle owns an end. A word per end holds the owner's token, or 0.
 *
 * A second handle in debug mode is refused at attach; a second one that doesn't check is found when the owner
 * sees an index that it didn't store.
 */
import { RingStateError } from './errors.ts';
import { CONSUMER_OWNER, PRODUCER_OWNER } from './layout.ts';

/** A registered owner of an end. */
export interface Owner {
  readonly word: number;
  readonly token: number;
}

/** Registers the calling handle as the owner of an end. */
export function claimOwner(words: Int32Array, side: 'producer' | 'consumer'): Owner {
  const word = side === 'producer' ? PRODUCER_OWNER : CONSUMER_OWNER;
  const token = 1 + Math.floor(Math.random() * 0x7ffffffe);
  const other = Atomics.compareExchange(words, word, 0, token);
  if (other !== 0) {
    throw new RingStateError(
      'ERR_RING_OWNER',
      `the ring has a ${side} already: owner=${other}; detach it, or call markDead, first`,
    );
  }
  return { word, token };
}

/** Forgets the owner, if it is still this one. */
export function releaseOwner(words: Int32Array, owner: Owner): void {
  Atomics.compareExchange(words, owner.word, owner.token, 0);
}

/** Throws unless the owner is still registered. */
export function checkOwner(words: Int32Array, owner: Owner): void {
  const other = Atomics.load(words, owner.word);
  if (other === owner.token) return;
  throw new RingStateError(
    'ERR_RING_OWNER',
    `this handle no longer owns its end: owner=${other}, token=${owner.token}`,
  );
}
