// The URL of Redis: what is taken, what it means, what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from '@sinclair/typebox';
import { loadConfig } from '@parley/kit/process';
import { redisUrl, sentinelTarget } from '@parley/kit/redis';

const schema = Type.Object({ redisUrl: redisUrl('a test') });
const taken = (url: string) => loadConfig(schema, { REDIS_URL: url }, () => '').redisUrl;

test('one server is named as ever', () => {
  for (const url of ['redis://host', 'redis://:p@host:6379', 'rediss://user:p@[fd00::1]:6380/2']) {
    assert.equal(taken(url), url);
    assert.equal(sentinelTarget(url), undefined);
  }
});

test('Sentinels: hosts with and without a port, the name of the primary, one password for both', () => {
  const url = 'redis+sentinel://:p%40ss@a.example:26379,b.example,[fd00::1]:5/parley-primary';
  assert.equal(taken(url), url);
  assert.deepEqual(sentinelTarget(url), {
    sentinels: [
      { host: 'a.example', port: 26379 },
      { host: 'b.example', port: 26379 },
      { host: 'fd00::1', port: 5 },
    ],
    name: 'parley-primary',
    db: 0,
    tls: false,
    password: 'p@ss',
    sentinelPassword: 'p@ss',
  });
});

test('Sentinels of others: TLS, users, a database, a login of their own or none', () => {
  const url = 'rediss+sentinel://app:one@s1,s2/mymaster/3?sentinelUser=watch&sentinelPassword=two%26';
  assert.equal(taken(url), url);
  assert.deepEqual(sentinelTarget(url), {
    sentinels: [
      { host: 's1', port: 26379 },
      { host: 's2', port: 26379 },
    ],
    ...{ name: 'mymaster', db: 3, tls: true, username: 'app', password: 'one', sentinelUsername: 'watch', sentinelPassword: 'two&' },
  });
  assert.deepEqual(sentinelTarget('redis+sentinel://:one@s/m?sentinelPassword='), {
    ...{ sentinels: [{ host: 's', port: 26379 }], name: 'm', db: 0, tls: false, password: 'one' },
  });
  assert.deepEqual(sentinelTarget('redis+sentinel://s/m'), { sentinels: [{ host: 's', port: 26379 }], name: 'm', db: 0, tls: false });
});

test('what leads nowhere is refused at the start, and not repeated: it may hold a password', () => {
  for (const url of [
    'redis+sentinel://:hidden@s1:26379,s2:26379',
    'redis+sentinel://:hidden@/name',
    'redis+sentinel://:hidden@s1,,s2/name',
    'redis+sentinel://:hidden@s1:port/name',
    'redis+sentinel://:hidden@s1/name?sentinelSecret=x',
    'redis+sentinel://:hidden@s1/name/db',
    'redis+sentinel://:hidden%@s1/name',
    'sentinel://:hidden@s1/name',
  ])
    assert.throws(
      () => taken(url),
      (error: Error) => error.message.includes('REDIS_URL is wrong') && !error.message.includes('hidden'),
      url,
    );
});
