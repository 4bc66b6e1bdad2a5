/** What the rows use of tdigest, which has no types. */
declare module 'tdigest' {
  export class TDigest {
    push(value: number): void;
    percentile(share: number): number;
    percentile(shares: readonly number[]): number[];
    size(): number;
  }
  const tdigest: { TDigest: typeof TDigest };
  export default tdigest;
}
