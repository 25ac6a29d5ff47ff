// Pure decisions of auth.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '@parley/kit';
import fc from 'fast-check';
import { isSameKey, parseApiKey } from '../../../services/auth/src/domain/api-key.ts';
import { AttemptLimit } from '../../../services/auth/src/domain/attempt-limit.ts';
import { boundedWork } from '../../../services/auth/src/domain/bounded-work.ts';
import { checkedProfile, normaliseEmail } from '../../../services/auth/src/domain/profile.ts';

const KEY = `pk_0123abcd_${'x'.repeat(43)}`;

describe('API key', () => {
  test('a key is split into its public prefix and the hash of all of it', () => {
    const key = parseApiKey(KEY);
    assert.equal(key?.prefix, 'pk_0123abcd');
    assert.equal(key?.hash.length, 32);
    assert.notDeepEqual(key?.hash, parseApiKey(`${KEY}y`)?.hash);
  });
  test('what has not its form is refused without a look-up', () => {
    for (const text of [
      undefined,
      '',
      'pk_',
      KEY.slice(0, -1),
      KEY.toUpperCase(),
      `${KEY} `,
      `${KEY}, ${KEY}`,
      `${KEY}\n`,
      KEY.replace('pk', 'sk'),
    ]) {
      assert.equal(parseApiKey(text), undefined);
    }
  });
  test('only the record with the same hash matches', () => {
    const key = parseApiKey(KEY);
    assert.ok(key);
    const record = { id: 1, hash: key.hash, scopes: [], lastUsedAt: null };
    assert.equal(isSameKey(key, record), true);
    assert.equal(isSameKey(key, undefined), false);
    assert.equal(isSameKey(key, { ...record, hash: Buffer.alloc(32) }), false);
    assert.equal(isSameKey(key, { ...record, hash: Buffer.alloc(5) }), false);
  });
});

describe('limit of attempts', () => {
  test('never lets more than the limit through in any window, and lets in who waits as long as told', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }), (pauses) => {
        const limit = new AttemptLimit({ max: 3, windowMs: 1000, keysMax: 10 });
        const allowed: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const decision = limit.take('key', now);
          if (decision.allowed) allowed.push(now);
          else {
            now += decision.resetMs;
            assert.equal(limit.take('key', now).allowed, true);
            allowed.push(now);
          }
        }
        for (const at of allowed) assert.ok(allowed.filter((other) => other > at - 1000 && other <= at).length <= 3);
      }),
    );
  });
  test('keys do not count for each other', () => {
    const limit = new AttemptLimit({ max: 1, windowMs: 1000, keysMax: 10 });
    assert.equal(limit.take('a', 0).allowed, true);
    assert.equal(limit.take('b', 0).allowed, true);
    assert.equal(limit.take('a', 1).allowed, false);
  });
  test('remembers a bounded number of keys, the ones tried last', () => {
    const limit = new AttemptLimit({ max: 1, windowMs: 1000, keysMax: 3 });
    for (const key of ['a', 'b', 'c', 'a', 'd']) limit.take(key, 0);
    assert.equal(limit.size, 3);
    assert.equal(limit.take('a', 1).allowed, false);
    assert.equal(limit.take('b', 1).allowed, true);
  });
});

describe('bounded work', () => {
  test('runs so many at a time, keeps the order, refuses beyond the queue, and goes on after a failure', async () => {
    const work = boundedWork({ atOnce: 2, waitingMax: 2 });
    const started: number[] = [];
    const release: (() => void)[] = [];
    const piece = (id: number) =>
      work.run(() => {
        started.push(id);
        return new Promise<number>((resolve, reject) => (release[id] = () => (id === 0 ? reject(new Error('fails')) : resolve(id))));
      });
    const results = [0, 1, 2, 3].map(piece);
    await assert.rejects(
      piece(4),
      (error: unknown) => error instanceof AppError && error.code === 'overloaded' && error.retryAfterMs === 1000,
    );
    assert.deepEqual(started, [0, 1]);
    assert.equal(work.waiting, 2);
    release[0]?.();
    await assert.rejects(results[0] ?? Promise.resolve(), /fails/);
    assert.deepEqual(started, [0, 1, 2]);
    release[1]?.();
    await results[1];
    release[2]?.();
    await results[2];
    release[3]?.();
    assert.equal(await results[3], 3);
    const last = piece(5);
    release[5]?.();
    assert.equal(await last, 5);
  });
});

describe('profile', () => {
  test('spaces around and the case of an address make no difference', () => {
    assert.equal(normaliseEmail('  Ada@Example.ORG\n'), 'ada@example.org');
    assert.deepEqual(checkedProfile({ name: ' Ada ', email: ' Ada@example.org' }), { name: 'Ada', email: 'ada@example.org' });
  });
  test('control characters are refused with the field named', () => {
    assert.throws(
      () => checkedProfile({ name: 'a\u0000', email: 'a@example.org' }),
      (error: unknown) => error instanceof AppError && error.code === 'invalid_request' && error.errors?.[0]?.path === '/name',
    );
  });
});
