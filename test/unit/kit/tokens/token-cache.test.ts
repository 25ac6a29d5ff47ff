// The cache of verified tokens: once each, never beyond a token's end, refusals are not kept.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '@parley/kit/process';
import { rememberingVerifier, type Identity } from '@parley/kit/tokens';

describe('remembering verifier', () => {
  const setUp = (max = 100) => {
    let now = 1_000_000;
    const verified: string[] = [];
    const verifier = rememberingVerifier(
      {
        verify: (token) => {
          verified.push(token);
          if (token === 'bad') return Promise.reject(new AppError('invalid_token'));
          return Promise.resolve({ userId: Number(token), expiresAtMs: 1_060_000 } as Identity);
        },
      },
      { now: () => now, max },
    );
    return { verifier, verified, at: (ms: number) => (now = ms) };
  };

  test('a token is verified once, each on its own', async () => {
    const { verifier, verified } = setUp();
    assert.equal((await verifier.verify('1')).userId, 1);
    assert.equal((await verifier.verify('1')).userId, 1);
    assert.equal((await verifier.verify('2')).userId, 2);
    assert.deepEqual(verified, ['1', '2']);
  });

  test('a token that has ended is refused, remembered or not', async () => {
    const { verifier, at } = setUp();
    await verifier.verify('1');
    at(1_060_000);
    await assert.rejects(verifier.verify('1'), { code: 'token_expired' });
  });

  test('a refusal is not remembered, and the oldest are forgotten', async () => {
    const { verifier, verified } = setUp(2);
    await assert.rejects(verifier.verify('bad'));
    await assert.rejects(verifier.verify('bad'));
    for (const token of ['1', '2', '3', '1']) await verifier.verify(token);
    assert.deepEqual(verified, ['bad', 'bad', '1', '2', '3', '1']);
  });
});
