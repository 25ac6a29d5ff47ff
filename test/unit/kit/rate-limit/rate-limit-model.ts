// A reference for the token bucket that shares no arithmetic with it: every take is kept and the level is replayed from the beginning, in
// whole numbers without bound; one token is 10^9 parts.
import { fc } from '../../../helpers/seed.ts';
import type { BucketLimit } from '@parley/kit/rate-limit';

export interface Step {
  /** Milliseconds since the step before. */
  afterMs: number;
  cost: number;
}

export interface ModelAnswer {
  allowed: boolean;
  remaining: number;
  retryAfterMs: number;
}

const TOKEN = 1_000_000_000n;

export class ReferenceBucket {
  readonly #burst: bigint;
  readonly #partsPerMs: bigint;
  readonly #taken: { atMs: bigint; parts: bigint }[] = [];

  /** `perMillion`: tokens that come back in 10^6 seconds, so that the rate is a whole number as well. */
  constructor(burst: number, perMillion: number) {
    this.#burst = BigInt(burst) * TOKEN;
    this.#partsPerMs = BigInt(perMillion);
  }

  take(atMs: number, cost: number): ModelAnswer {
    const now = BigInt(atMs);
    const asked = BigInt(cost) * TOKEN;
    const wanted = asked > this.#burst ? this.#burst : asked;
    const level = this.#levelAt(now);
    if (level >= wanted) {
      this.#taken.push({ atMs: now, parts: wanted });
      return { allowed: true, remaining: Number((level - wanted) / TOKEN), retryAfterMs: 0 };
    }
    return { allowed: false, remaining: Number(level / TOKEN), retryAfterMs: Number(this.#firstWait(now, wanted)) };
  }

  /**
   * The level is the least, over all earlier takes, of what was refilled since that take less what was taken since and with it:
   * a bucket that was full just before that take. So nothing is carried from call to call.
   */
  #levelAt(now: bigint): bigint {
    let least = this.#burst;
    let takenSince = 0n;
    for (let index = this.#taken.length - 1; index >= 0; index--) {
      const { atMs, parts } = this.#taken[index] as { atMs: bigint; parts: bigint };
      takenSince += parts;
      const level = this.#burst + (now - atMs) * this.#partsPerMs - takenSince;
      if (level < least) least = level;
    }
    return least;
  }

  /** Found by search, not by division. */
  #firstWait(now: bigint, wanted: bigint): bigint {
    let [tooShort, enough] = [0n, 1n];
    while (this.#levelAt(now + enough) < wanted) enough *= 2n;
    while (enough - tooShort > 1n) {
      const middle = (tooShort + enough) / 2n;
      if (this.#levelAt(now + middle) < wanted) tooShort = middle;
      else enough = middle;
    }
    return enough;
  }
}

export interface History {
  burst: number;
  perMillion: number;
  steps: Step[];
}

export const limitOf = ({ burst, perMillion }: History): BucketLimit => ({ burst, perSecond: perMillion / 1e6 });

/** Rates from one in eleven days to a thousand a second; waits around what a token takes to come back, and far beyond. */
export const histories = (maxLength: number): fc.Arbitrary<History> =>
  fc
    .record({
      burst: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1_000_000 })),
      perMillion: fc.oneof(fc.constantFrom(166_666, 500_000, 1_000_000, 5_000_000, 10_000_000), fc.integer({ min: 1, max: 1_000_000_000 })),
    })
    .chain(({ burst, perMillion }) => {
      const tokenMs = Math.ceil(1e9 / perMillion);
      const afterMs = fc.oneof(
        fc.constant(0),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: tokenMs * 2 }),
        fc.integer({ min: 0, max: Math.min(tokenMs * burst * 2, 1e12) }),
      );
      const cost = fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: burst + 2 }));
      const steps = fc.array(fc.record({ afterMs, cost }), { maxLength, size: 'max' });
      return fc.record({ burst: fc.constant(burst), perMillion: fc.constant(perMillion), steps });
    });
