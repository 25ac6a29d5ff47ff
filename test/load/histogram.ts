// The buckets of the generator's histogram (generator.h): exact below 64 µs, then 64 steps for each power of two, so that a value is
// known to 1.6 %.
export type Buckets = readonly (readonly [bucket: number, count: number])[];

const SUB_BITS = 6;
const SUB = 2 ** SUB_BITS;

/** Bucket of a whole number of microseconds. */
export function bucketOf(micros: number): number {
  if (micros < SUB) return micros;
  const shift = Math.floor(Math.log2(micros)) - SUB_BITS;
  return (shift + 1) * SUB + Math.floor(micros / 2 ** shift) - SUB;
}

/** Largest number of microseconds that falls into the bucket: a percentile is never told too small. */
export function upperMicros(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = Math.floor(bucket / SUB) - 1;
  return ((bucket % SUB) + SUB + 1) * 2 ** shift - 1;
}

/** Milliseconds below which the share `p` (0 … 1) of the values lies; NaN when there are none. */
export function percentileMs(buckets: Buckets, p: number): number {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return NaN;
  let left = Math.max(1, Math.ceil(total * p));
  for (const [bucket, count] of [...buckets].sort((a, b) => a[0] - b[0])) {
    left -= count;
    if (left <= 0) return upperMicros(bucket) / 1000;
  }
  return NaN;
}

export interface Latency {
  p50: number;
  p99: number;
  max: number;
}

export function latencyOf(buckets: Buckets): Latency {
  return { p50: percentileMs(buckets, 0.5), p99: percentileMs(buckets, 0.99), max: percentileMs(buckets, 1) };
}
