// URLs of external servers that no service could work with, told before anything starts; what they hold is never told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urlProblem } from '../../../../operator/src/secrets/refs.ts';

const MYSQL = 'mysql.external.urlSecretRef';

test('a URL that a service takes', () => {
  assert.equal(urlProblem(MYSQL, 'mysql://parley:s%40cret@db.example:3306/parley\n'), undefined);
  assert.equal(urlProblem('postgres.external.urlSecretRef', 'postgresql://parley:x@db/parley'), undefined);
});

test('a URL of Redis is what the services take, Sentinels too', () => {
  const REDIS = 'redis.external.urlSecretRef';
  for (const url of ['rediss://:x@redis:6380', 'redis+sentinel://:x@s1:26379,s2:26379,s3:26379/primary\n', 'rediss+sentinel://u:x@s1/p/3'])
    assert.equal(urlProblem(REDIS, url), undefined, url);
  for (const url of ['redis+sentinel://:hunter2@s1:26379,s2:26379', 'redis://', 'redis://:hunter2@', 'http://:hunter2@redis']) {
    const wrong = urlProblem(REDIS, url) ?? '';
    assert.match(wrong, /is no URL of Redis: it should be like redis:\/\/:password@host:6379, or redis\+sentinel:/, url);
    assert.equal(wrong.includes('hunter2'), false);
  }
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
