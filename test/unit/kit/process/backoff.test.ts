// Waiting grows and has an end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../../helpers/seed.ts';
import { backoffMs } from '@parley/kit/process';

describe('back-off', () => {
  test('grows, stays between half and all, and has an end', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const full = Math.min(5000, 100 * 2 ** Math.min(attempt, 20));
        const delay = backoffMs(attempt, { random: () => random });
        assert.ok(delay >= Math.floor(full / 2) && delay <= full);
      }),
    );
  });
});
