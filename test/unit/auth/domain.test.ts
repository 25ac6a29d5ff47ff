// Pure decisions of auth.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '@parley/kit/process';
import { isSameKey, parseApiKey } from '@parley/kit/tokens';
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
