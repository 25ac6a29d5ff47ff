// The checker itself: it accepts right histories and names every planted fault.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkHistory } from './check-history.ts';
import { faults, rightHistory } from './planted.ts';

const seeds = Array.from({ length: 20 }, (_, seed) => seed);

describe('the checker of histories', () => {
  test('finds nothing in right histories', () => {
    for (const seed of seeds) assert.deepEqual(checkHistory(rightHistory(seed)), []);
  });

  for (const [name, { breaks, plant }] of Object.entries(faults)) {
    test(`catches: ${name}`, () => {
      for (const seed of seeds) {
        const history = rightHistory(seed);
        plant(history);
        const violations = checkHistory(history);
        assert.ok(
          violations.some(({ invariant }) => invariant === breaks),
          `seed ${seed}: ${JSON.stringify(violations)}`,
        );
      }
    });
  }

  test('every invariant has a planted fault', () => {
    const planted = new Set(Object.values(faults).map(({ breaks }) => breaks));
    assert.deepEqual(
      [...planted].sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, index) => index + 1),
    );
  });
});
