// What is wrong with JWT_PRIVATE_KEYS is named, and its content is not shown.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { ConfigError } from '@parley/kit/process';
import { jwtVerify, createLocalJWKSet } from 'jose';
import { jwtIssuer } from '../../../services/auth/src/adapters/jwt-issuer.ts';
import { keyRing } from '../../../services/auth/src/adapters/key-ring.ts';
import { readSigningKeys } from '../../../services/auth/src/adapters/signing-keys.ts';

const jwk = (kid: string) => ({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' });
const textOf = (...keys: unknown[]) => JSON.stringify({ keys });

describe('signing keys', () => {
  test('the first signs, all are published without their private part', async () => {
    const [first, second] = [jwk('new'), jwk('old')];
    const keys = readSigningKeys(textOf(first, second));
    assert.equal(keys.kid, 'new');
    assert.deepEqual(
      keys.published.map(({ kid }) => kid),
      ['new', 'old'],
    );
    assert.ok(keys.published.every((key) => !('d' in key)));
    const issuer = jwtIssuer({ keys: keyRing(keys), issuer: 'parley', audience: 'parley', lifeSeconds: 60 });
    const token = await issuer.issue({ id: 7, name: 'Ada', email: 'ada@example.org' }, { family: 'login-1', at: new Date() });
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: [...keys.published] }), { issuer: 'parley' });
    assert.equal(protectedHeader.kid, 'new');
    const { jti, iat, exp, ...claims } = payload;
    assert.deepEqual(claims, { sub: '7', user_id: 7, name: 'Ada', email: 'ada@example.org', sid: 'login-1', iss: 'parley', aud: 'parley' });
    assert.ok(jti);
    assert.equal((exp ?? 0) - (iat ?? 0), 60);
  });
  const good = jwk('a');
  const cases: [string, string, RegExp][] = [
    ['no JSON', `{"keys": [${good.d}`, /not JSON/],
    ['no key', '{"keys": []}', /at least one/],
    ['null', 'null', /at least one/],
    ['another kind of key', textOf({ ...good, kty: 'RSA' }), /key 1: expected kty/],
    ['another algorithm', textOf({ ...good, alg: 'HS256' }), /key 1: expected alg/],
    ['no kid', textOf({ ...good, kid: undefined }), /key 1: kid is missing/],
    ['a public key', textOf(good, { ...jwk('b'), d: undefined }), /key 2: d, the private part, is missing/],
    ['halves of two keys', textOf({ ...good, x: jwk('b').x }), /key 1: x does not belong to d/],
    ['garbage', textOf({ ...good, d: 'AAAA' }), /key 1: x and d are not a key pair/],
    ['one kid twice', textOf(good, jwk('a')), /the same kid/],
  ];
  for (const [name, text, problem] of cases) {
    test(`${name}: refused`, () => {
      assert.throws(
        () => readSigningKeys(text),
        (error: unknown) => error instanceof ConfigError && problem.test(error.message) && !error.message.includes(good.d ?? '?'),
      );
    });
  }
  test('all wrong keys are named at once', () => {
    assert.throws(
      () => readSigningKeys(textOf({}, {})),
      (error: unknown) => error instanceof ConfigError && error.problems.length === 2,
    );
  });
});
