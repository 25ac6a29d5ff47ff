// What auth and its tests rely on when a variable is not set.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authConfig } from '@parley/auth';
import { loadConfig } from '@parley/kit/process';

const secrets = {
  DATABASE_URL: 'postgres://user:password@host/name',
  REDIS_URL: 'redis://host',
  JWT_PRIVATE_KEYS: '{"keys":[]}',
  BOOTSTRAP_API_KEY: `pk_0123abcd_${'x'.repeat(43)}`,
};

test('ten attempts a minute, two password hashes at a time, tokens of 15 minutes and 30 days', () => {
  const config = loadConfig(authConfig, secrets, () => '');
  assert.equal(config.serverPort, 8081);
  assert.equal(config.authAttemptsPerMinute, 10);
  assert.equal(config.passwordHashesAtOnce, 2);
  assert.equal(config.accessTokenSeconds, 15 * 60);
  assert.equal(config.refreshTokenSeconds, 30 * 24 * 60 * 60);
});

test('a secret may come from a file', () => {
  const { BOOTSTRAP_API_KEY, ...others } = secrets;
  const config = loadConfig(authConfig, { ...others, BOOTSTRAP_API_KEY_FILE: '/run/key' }, (path) => {
    assert.equal(path, '/run/key');
    return `${BOOTSTRAP_API_KEY}\n`;
  });
  assert.equal(config.bootstrapApiKey, BOOTSTRAP_API_KEY);
});
