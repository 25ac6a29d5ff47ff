// The checker at random: it accepts what a right system does, and names the room of every fault planted anywhere.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../helpers/seed.ts';
import { checkHistory } from './check-history.ts';
import { mutations } from './mutations.ts';
import { rightHistories } from './random-histories.ts';

describe('the checker of histories, at random', () => {
  test('accepts every right history', () => {
    fc.assert(
      fc.property(rightHistories, (history) => assert.deepEqual(checkHistory(history), [])),
      { numRuns: 3000 },
    );
  });

  for (const [name, { breaks, change }] of Object.entries(mutations)) {
    test(`catches: ${name}`, () => {
      let planted = 0;
      fc.assert(
        fc.property(rightHistories, fc.nat(), (history, chance) => {
          const room = change(history, (items) => items[chance % Math.max(1, items.length)]);
          if (room === undefined) return;
          planted++;
          const violations = checkHistory(history);
          const named = violations.filter(({ invariant, what }) => invariant === breaks && what.includes(room));
          assert.ok(named.length > 0, `in ${room}: ${JSON.stringify(violations)}`);
        }),
        { numRuns: 400 },
      );
      assert.ok(planted >= 20, `planted in ${planted} of 400 histories`);
    });
  }
});
