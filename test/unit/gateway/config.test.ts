// What the gateway does when a variable is not set.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewayConfig } from '@parley/gateway';
import { loadConfig } from '@parley/kit/process';

test('port 8080, 2 s for a connection, 10 s for the beginning of an answer, 60 calls at once and one a second', () => {
  const url = 'http://service:1';
  const config = loadConfig(gatewayConfig, { AUTH_URL: url, CORE_URL: url, JWKS_URL: `${url}/jwks`, REDIS_URL: 'redis://host' }, () => '');
  assert.equal(config.serverPort, 8080);
  assert.equal(config.upstreamConnectTimeoutMs, 2000);
  assert.equal(config.upstreamTimeoutMs, 10_000);
  assert.equal(config.rateRestBurst, 60);
  assert.equal(config.rateRestPerSecond, 1);
});
