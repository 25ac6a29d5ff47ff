// The benchmark's histogram: buckets and percentiles.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { bucketOf, latencyOf, percentileMs, upperMicros } from '../../load/histogram.ts';

describe('histogram', () => {
  it('puts every value into a bucket that ends at most 1.6 % above it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 36 }), (micros) => {
        const upper = upperMicros(bucketOf(micros));
        assert.ok(upper >= micros, `${upper} < ${micros}`);
        assert.ok(upper <= micros * (1 + 1 / 64), `${upper} is far above ${micros}`);
      }),
    );
  });

  it('has buckets in the order of their values, without holes', () => {
    for (let bucket = 0; bucket < 1500; bucket++) assert.equal(bucketOf(upperMicros(bucket) + 1), bucket + 1);
  });

  it('finds percentiles whatever the order of the buckets', () => {
    const counts: [number, number][] = [
      [bucketOf(60_000_000), 1],
      [10, 50],
      [20, 49],
    ];
    assert.equal(percentileMs(counts, 0.5), 0.01);
    assert.equal(percentileMs(counts, 0.99), 0.02);
    assert.ok(latencyOf(counts).max >= 60_000);
  });

  it('says that there is nothing when nothing was measured', () => {
    assert.ok(Number.isNaN(percentileMs([], 0.99)));
  });
});
