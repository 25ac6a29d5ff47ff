// URLs of external servers that no service could work with, told before anything starts; what they hold is never told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urlProblem } from '../../../../operator/src/secrets/refs.ts';

const MYSQL = 'mysql.external.urlSecretRef';

test('a URL that a service takes', () => {
  assert.equal(urlProblem(MYSQL, 'mysql://parley:s%40cret@db.example:3306/parley\n'), undefined);
  assert.equal(urlProblem('postgres.external.urlSecretRef', 'postgresql://parley:x@db/parley'), undefined);
  assert.equal(urlProblem('redis.external.urlSecretRef', 'rediss://:x@redis:6380'), undefined);
});

test('another scheme, no host and no URL are told with what is wanted, and without the password', () => {
  const wrong = urlProblem(MYSQL, 'postgres://parley:hunter2@db/parley') ?? '';
  assert.match(wrong, /begins with postgres:\/\/ and not with mysql:\/\/: .*mysql:\/\/user:password@host:port\/database/);
  assert.equal(wrong.includes('hunter2'), false);
  assert.match(urlProblem(MYSQL, 'db.example') ?? '', /no URL with a host/);
  assert.match(urlProblem(MYSQL, 'mysql://') ?? '', /no URL with a host/);
});

test('other Secrets hold no URLs', () => {
  assert.equal(urlProblem('worker.notifications.secretRef', 'a secret'), undefined);
});
