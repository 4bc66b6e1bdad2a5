/** What a drain calls per record, and what the callback may answer. */

/** Result of a drain callback: this record was taken, and is the last of this call. */
export const DRAIN_STOP = 'stop';
/** Result of a drain callback: this record wasn't taken and comes again; the call ends. */
export const DRAIN_ABORT = 'abort';

/**
 * Receives one record in place.
 *
 * @param bytes - the ring's data; borrowed, and of it only `[start, end)`, until the callback returns
 * @param start - first byte of the payload (index, included)
 * @param end - end of the payload (index, excluded)
 * @param kind - the bit that travelled with the record (0 or 1)
 * @returns nothing to continue, {@link DRAIN_STOP} or {@link DRAIN_ABORT}
 */
export type DrainCallback = (
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: most callbacks return nothing at all
) => void | undefined | typeof DRAIN_STOP | typeof DRAIN_ABORT;

/**
 * Receives one record of a lane in place; as `DrainCallback`, and which lane it came from.
 *
 * @param bytes - the lane's data; borrowed, and of it only `[start, end)`, until the callback returns
 * @param start - first byte of the payload (index, included)
 * @param end - end of the payload (index, excluded)
 * @param kind - the bit that travelled with the record (0 or 1)
 * @param lane - the lane (index)
 * @returns nothing to continue, `DRAIN_STOP` or `DRAIN_ABORT`
 */
export type LanesDrainCallback = (
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  lane: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: most callbacks return nothing at all
) => void | undefined | typeof DRAIN_STOP | typeof DRAIN_ABORT;
