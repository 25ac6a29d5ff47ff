// Password hashes: what is made today, and what was made by the libraries of earlier versions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argon2Passwords } from '../../../services/auth/src/adapters/argon2-passwords.ts';
import { boundedWork } from '../../../services/auth/src/domain/bounded-work.ts';

const passwords = await argon2Passwords(boundedWork({ atOnce: 2, waitingMax: 8 }));

test('a hash is argon2id with the parameters of today, and its own password alone is right', async () => {
  const stored = await passwords.hash('correct horse');
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await passwords.verify(stored, 'correct horse'), true);
  assert.equal(await passwords.verify(stored, 'correct horsf'), false);
  assert.equal(passwords.isOutdated(stored), false);
});

test('hashes of the npm package argon2, 0.44 and 0.45 with its other order of parameters, still open and are not outdated', async () => {
  const made = {
    '0.44.0': '$argon2id$v=19$m=19456,t=2,p=1$2t0BPS/OoMrGaJIvI/X95A$hEgtows6r+M6Ky6EyNQNBa0/Aa3GJ7onbRTwMxme/RY',
    '0.45.1': '$argon2id$v=19$m=19456,p=1,t=2$JP8B3ktahTnc0ufs/1UK2w$oPWPKDl4jBjrJ2+dV97uBLUCOpAIa88EwuKqpxNfnCY',
  };
  for (const [version, stored] of Object.entries(made)) {
    assert.equal(await passwords.verify(stored, 'geheim'), true, version);
    assert.equal(await passwords.verify(stored, 'geheim '), false, version);
    assert.equal(passwords.isOutdated(stored), false, version);
  }
});

test('another variant, less memory, fewer passes or more lanes are outdated', () => {
  const salt = '2t0BPS/OoMrGaJIvI/X95A$hEgtows6r+M6Ky6EyNQNBa0/Aa3GJ7onbRTwMxme/RY';
  for (const parameters of [
    'argon2id$v=19$m=8192,t=2,p=1',
    'argon2id$v=19$m=19456,t=1,p=1',
    'argon2id$v=19$m=19456,t=2,p=2',
    'argon2i$v=19$m=19456,t=2,p=1',
  ])
    assert.equal(passwords.isOutdated(`$${parameters}$${salt}`), true, parameters);
});
