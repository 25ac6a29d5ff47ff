// Leases of a user's bucket: never more than the bucket allows over all replicas, in order, without a question for every frame.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { LocalRateLimiter, type RateLimiter } from '@parley/kit/rate-limit';
import { RateBudgets, type Verdict } from '../../../services/chat/src/limits/rate-budgets.ts';

/** Tells the verdict now or when it comes. */
const settle = (verdict: Verdict | Promise<Verdict>, told: (verdict: Verdict) => void): void =>
  verdict instanceof Promise ? void verdict.then(told) : told(verdict);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('rate budgets', () => {
  test('over any history of several replicas the bucket is never exceeded, and the order of each caller is kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          burst: fc.integer({ min: 1, max: 30 }),
          perSecond: fc.integer({ min: 1, max: 20 }),
          steps: fc.array(
            fc.record({
              replica: fc.integer({ min: 0, max: 2 }),
              calls: fc.integer({ min: 1, max: 12 }),
              advanceMs: fc.integer({ min: 0, max: 3000 }),
            }),
            { maxLength: 40 },
          ),
        }),
        async ({ burst, perSecond, steps }) => {
          let now = 1_000_000;
          const shared = new LocalRateLimiter({ now: () => now });
          const limit = { burst, perSecond };
          const replicas = [0, 1, 2].map(() => new RateBudgets({ event: 'message', limit, limiter: shared, now: () => now }));
          const start = now;
          let accepted = 0;
          let answered = 0;
          let calls = 0;
          for (const step of steps) {
            const order: number[] = [];
            for (let call = 0; call < step.calls; call++) {
              calls++;
              settle(replicas[step.replica]?.spend('alice') ?? assert.fail(), (verdict) => {
                answered++;
                if (verdict !== 'go') return assert.ok(verdict.retryAfterMs > 0);
                accepted++;
                order.push(call);
              });
            }
            for (let round = 0; round < 10; round++) await turn();
            assert.deepEqual(
              order,
              [...order].sort((a, b) => a - b),
            );
            const ever = burst + ((now - start) / 1000) * perSecond;
            assert.ok(accepted <= ever + 1e-6, `${accepted} accepted, at most ${ever}`);
            now += step.advanceMs;
          }
          assert.equal(answered, calls, 'every call is answered');
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a burst within the limit is accepted whole by one replica', async () => {
    const limiter = new LocalRateLimiter({ now: () => 0 });
    const budgets = new RateBudgets({ event: 'message', limit: { burst: 20, perSecond: 5 }, limiter, now: () => 0 });
    const outcomes: string[] = [];
    for (let index = 0; index < 25; index++)
      settle(budgets.spend('alice'), (verdict) => outcomes.push(verdict === 'go' ? 'run' : 'refuse'));
    for (let round = 0; round < 20; round++) await turn();
    assert.deepEqual(outcomes.sort().reverse(), [...Array<string>(20).fill('run'), ...Array<string>(5).fill('refuse')]);
  });

  test('what was refused costs no more questions until its time has come', async () => {
    let asked = 0;
    let now = 0;
    const limiter: RateLimiter = {
      take: ({ limit }) => {
        asked++;
        return Promise.resolve({ allowed: false, limit: limit.burst, remaining: 0, retryAfterMs: 200, source: 'redis' });
      },
    };
    const budgets = new RateBudgets({ event: 'message', limit: { burst: 1, perSecond: 5 }, limiter, now: () => now });
    let refused = 0;
    const flood = () => {
      for (let index = 0; index < 50; index++)
        settle(budgets.spend('alice'), (verdict) => (verdict === 'go' ? assert.fail('allowed') : refused++));
    };
    flood();
    await turn();
    flood();
    await turn();
    assert.deepEqual([asked, refused], [1, 100]);
    now = 201;
    flood();
    await turn();
    assert.equal(asked, 2);
  });

  test('idle budgets are forgotten', async () => {
    let now = 0;
    const limiter = new LocalRateLimiter({ now: () => now });
    const budgets = new RateBudgets({ event: 'message', limit: { burst: 20, perSecond: 5 }, limiter, now: () => now });
    settle(budgets.spend('alice'), () => {});
    await turn();
    assert.equal(budgets.size, 1);
    now = 60_000;
    budgets.sweep();
    assert.equal(budgets.size, 0);
  });

  test('a lease ends: what was not spent in its time is not spent later, and the limiter is asked again', async () => {
    let now = 0;
    const asked: number[] = [];
    const limiter: RateLimiter = {
      take: ({ cost = 1, limit }) => {
        asked.push(cost);
        return Promise.resolve({ allowed: true, limit: limit.burst, remaining: 1, retryAfterMs: 0, source: 'redis' });
      },
    };
    const budgets = new RateBudgets({ event: 'message', limit: { burst: 20, perSecond: 5 }, limiter, now: () => now });
    assert.equal(await budgets.spend('alice'), 'go');
    assert.equal(budgets.spend('alice'), 'go', 'from the lease, at once');
    assert.deepEqual(asked, [5]);
    now = 10_000;
    assert.equal(budgets.spend('alice'), 'go', 'to the last moment of it');
    now = 10_001;
    const late = budgets.spend('alice');
    assert.ok(late instanceof Promise, 'the lease is over: two tokens of it are nobody’s');
    assert.equal(await late, 'go');
    assert.deepEqual(asked, [5, 5]);
  });

  test('what is free does not overtake what waits for a token, and costs none', async () => {
    const answers: (() => void)[] = [];
    const limiter: RateLimiter = {
      take: ({ limit }) =>
        new Promise((resolve) =>
          answers.push(() => resolve({ allowed: true, limit: limit.burst, remaining: 0, retryAfterMs: 0, source: 'redis' })),
        ),
    };
    const budgets = new RateBudgets({ event: 'room_action', limit: { burst: 4, perSecond: 1 }, limiter, now: () => 0 });
    assert.equal(budgets.pass('alice'), 'go', 'nobody waits');
    const order: string[] = [];
    settle(budgets.spend('alice'), () => order.push('leave'));
    settle(budgets.pass('alice'), () => order.push('free join'));
    assert.deepEqual(order, []);
    answers.shift()?.();
    await turn();
    assert.deepEqual(order, ['leave', 'free join']);
    assert.deepEqual(answers, [], 'the one token was enough for both');
  });

  test('less than a lease is left in the bucket: all of it is taken, and no more', async () => {
    const limiter = new LocalRateLimiter({ now: () => 0 });
    const limit = { burst: 20, perSecond: 5 };
    await limiter.take({ event: 'message', key: 'alice', limit, cost: 17 });
    const budgets = new RateBudgets({ event: 'message', limit, limiter, now: () => 0 });
    const outcomes: string[] = [];
    for (let index = 0; index < 5; index++) settle(budgets.spend('alice'), (verdict) => outcomes.push(verdict === 'go' ? 'run' : 'refuse'));
    for (let round = 0; round < 20; round++) await turn();
    assert.deepEqual(outcomes.sort().reverse(), ['run', 'run', 'run', 'refuse', 'refuse']);
  });
});
