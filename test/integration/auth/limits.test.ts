// Two replicas of auth and one Redis: the limit on attempts is one; when Redis dies each holds it alone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { authConfig, startAuth } from '@parley/auth';
import { loadConfig } from '@parley/kit/process';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import type { Problem } from '@parley/protocol';
import { startServers } from '../../helpers/servers.ts';
import { anyAddress, newPerson, quiet, startAuthStack } from './auth-stack.ts';

let redisServer: Awaited<ReturnType<typeof startServers<'redis'>>>;
let stack: Awaited<ReturnType<typeof startAuthStack>>;
let second: Awaited<ReturnType<typeof startAuth>>;
let redis: RedisClient;
let urls: string[];

before(async () => {
  redisServer = await startServers(['redis']);
  redis = createRedis(redisServer.redis.url, 'test', quiet);
  stack = await startAuthStack({ REDIS_URL: redisServer.redis.url });
  second = await startAuth({ config: loadConfig(authConfig, stack.env, () => ''), log: quiet, instance: 'auth-second' });
  urls = [stack.url, `http://127.0.0.1:${second.port}`];
  await Promise.all(urls.map(untilShared));
});
after(async () => {
  await second?.close();
  await stack?.stop();
  redis?.disconnect();
  await redisServer?.stop();
});

async function login(url: string, { email = newPerson().email, address = anyAddress(), password = 'x' }) {
  const headers = { 'content-type': 'application/json', 'x-api-key': stack.apiKey, 'x-forwarded-for': address };
  const response = await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers, body: JSON.stringify({ email, password }) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Problem };
}

/** An attempt is known to Redis: the replica is connected. */
async function untilShared(url: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const address = anyAddress();
    await login(url, { address });
    // The connection of the test may itself not be back yet.
    const known = await redis.exists(`rl:auth_address:${address}`).catch(() => 0);
    if (known === 1) return;
    if (performance.now() > deadline) throw new Error('the limit is not shared after 10 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const inTurn = (index: number): string => urls[index % 2] ?? '';

describe('with Redis', () => {
  test('ten attempts from one address go through all replicas together, the eleventh through none', async () => {
    const address = anyAddress();
    const replies = await Promise.all(Array.from({ length: 10 }, (_, index) => login(inTurn(index), { address })));
    assert.deepEqual(
      replies.map(({ status }) => status),
      replies.map(() => 401),
    );
    assert.deepEqual(replies.map(({ headers }) => Number(headers.get('x-ratelimit-remaining'))).sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const url of urls) {
      const { status, headers, body } = await login(url, { address });
      assert.equal(status, 429);
      assert.equal(body.code, 'rate_limited');
      const retryAfter = Number(headers.get('retry-after'));
      assert.ok(retryAfter >= 1 && retryAfter <= 6, `Retry-After: ${retryAfter}`);
      assert.equal(headers.get('ratelimit'), `"address";r=0;t=${retryAfter}`);
      assert.equal(headers.get('ratelimit-policy'), '"address";q=10;w=60');
      assert.equal(headers.get('x-ratelimit-limit'), '10');
      assert.equal(headers.get('x-ratelimit-remaining'), '0');
    }
  });

  test('so for one e-mail address, and the right password does not help; others are not held up', async () => {
    const person = newPerson();
    assert.equal((await stack.post('register', person)).status, 201);
    const replies = await Promise.all(Array.from({ length: 9 }, (_, index) => login(inTurn(index), { email: person.email })));
    assert.ok(replies.every(({ status }) => status === 401));
    for (const url of urls) {
      const { status, headers } = await login(url, { email: person.email, password: person.password });
      assert.equal(status, 429);
      assert.match(headers.get('ratelimit') ?? '', /^"email";r=0;/);
      assert.equal((await login(url, {})).status, 401);
    }
  });

  test('no e-mail address is written to Redis, and every key has an end', async () => {
    const { email } = newPerson();
    await login(inTurn(0), { email });
    const keys = await redis.keys('*');
    assert.ok(keys.some((key) => key.startsWith('rl:auth_email:')));
    assert.ok(!keys.some((key) => key.includes('@')));
    for (const key of keys) assert.ok((await redis.pttl(key)) !== -1, key);
  });
});

describe('Redis away', () => {
  test('killed: each replica refuses the eleventh by itself and goes on from what it knows', { timeout: 60_000 }, async () => {
    const [before, during] = [anyAddress(), anyAddress()];
    for (let attempt = 0; attempt < 6; attempt++) assert.equal((await login(inTurn(0), { address: before })).status, 401);
    redisServer.redis.kill('SIGKILL');
    await redisServer.redis.exited;
    for (const url of urls) {
      const replies = await Promise.all(Array.from({ length: 15 }, () => login(url, { address: during })));
      assert.equal(replies.filter(({ status }) => status === 401).length, 10);
      assert.equal(replies.filter(({ status }) => status === 429).length, 5);
    }
    const rest = await Promise.all(Array.from({ length: 10 }, () => login(inTurn(0), { address: before })));
    const allowed = rest.filter(({ status }) => status === 401).length;
    // Six were used before; one comes back every six seconds.
    assert.ok(allowed >= 4 && allowed <= 6, `${allowed} attempts`);
    const metrics = await (await fetch(`${stack.adminUrl}/metrics`)).text();
    assert.match(metrics, /rate_limit_local_decisions_total\{event="auth_address",[^}]*\} \d+/);
    assert.equal((await fetch(`${stack.adminUrl}/readyz`)).status, 200, 'ready without Redis');
    await redisServer.start('redis');
    await Promise.all(urls.map(untilShared));
  });
});
