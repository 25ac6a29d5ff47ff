// How often one caller may call, over two gateways with one Redis; and without it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gatewayConfig, startGateway } from '@parley/gateway';
import { loadConfig } from '@parley/kit/process';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import type { Problem } from '@parley/protocol';
import { startServers } from '../../helpers/servers.ts';
import { echo, quiet, startGatewayStack } from './gateway-stack.ts';

const BURST = 20;

let servers: Awaited<ReturnType<typeof startServers<'redis'>>>;
let stack: Awaited<ReturnType<typeof startGatewayStack>>;
let second: Awaited<ReturnType<typeof startGateway>>;
let redis: RedisClient;
let urls: string[];
let users = 0;
let addresses = 0;
const newAddress = () => `203.0.113.${++addresses}`;

before(async () => {
  servers = await startServers(['redis']);
  redis = createRedis(servers.redis.url, 'test', quiet);
  stack = await startGatewayStack({
    REDIS_URL: servers.redis.url,
    TRUSTED_PROXIES: '127.0.0.1',
    RATE_REST_BURST: String(BURST),
    // One call in a hundred seconds: nothing comes back during a test.
    RATE_REST_PER_SECOND: '0.01',
  });
  second = await startGateway({ config: loadConfig(gatewayConfig, stack.env, () => ''), log: quiet, instance: 'gateway-second' });
  urls = [stack.url, `http://127.0.0.1:${second.port}`];
  await Promise.all(urls.map(untilShared));
});
after(async () => {
  await second?.close();
  await stack?.stop();
  redis?.disconnect();
  await servers?.stop();
});
beforeEach(() => {
  for (const service of [stack.auth, stack.core]) Object.assign(service, { calls: [], answer: echo });
});

/** A call is known to Redis: the replica is connected. */
async function untilShared(url: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const address = newAddress();
    await fetch(`${url}/.well-known/jwks.json`, { headers: { 'x-forwarded-for': address } });
    const known = await redis.exists(`rl:rest:ip:${address}`).catch(() => 0);
    if (known === 1) return;
    if (performance.now() > deadline) throw new Error('the limit is not shared after 10 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const call = (url: string, path: string, headers: Record<string, string>) => fetch(`${url}${path}`, { headers });
const inTurn = (index: number): string => urls[index % 2] ?? '';
/** Statuses of so many calls at once over both gateways. */
async function statuses(calls: number, path: string, headers: Record<string, string>): Promise<number[]> {
  const responses = await Promise.all(Array.from({ length: calls }, (_, index) => call(inTurn(index), path, headers)));
  await Promise.all(responses.map((response) => response.arrayBuffer()));
  return responses.map(({ status }) => status).sort((a, b) => a - b);
}
const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

describe('with Redis', () => {
  test('a user has one bucket for all gateways, routes and addresses; the rest is 429 and reaches nobody', async () => {
    const bearer = await stack.bearer(++users);
    const first = await call(stack.url, '/api/rooms', { ...bearer, 'x-forwarded-for': newAddress() });
    assert.equal(first.headers.get('ratelimit-policy'), `"rest";q=${BURST};w=2000`);
    assert.equal(first.headers.get('ratelimit'), `"rest";r=${BURST - 1};t=100`);
    assert.equal(first.headers.get('x-ratelimit-limit'), String(BURST));
    assert.equal(first.headers.get('x-ratelimit-remaining'), String(BURST - 1));
    const rest = await statuses(BURST + 4, '/api/v1/users/me', { ...bearer, 'x-forwarded-for': newAddress() });
    assert.deepEqual(rest, [...times(BURST - 1, 200), ...times(5, 429)]);
    assert.equal(stack.core.calls.length, BURST);
    const refused = await call(inTurn(1), '/api/invitations', bearer);
    const problem = (await refused.json()) as Problem;
    assert.equal(problem.code, 'rate_limited');
    const retryAfter = Number(refused.headers.get('retry-after'));
    assert.ok(retryAfter > 90 && retryAfter <= 100, `Retry-After: ${retryAfter}`);
    assert.equal(Math.ceil((problem.retry_after_ms ?? 0) / 1000), retryAfter);
    assert.equal(refused.headers.get('ratelimit'), `"rest";r=0;t=${retryAfter}`);
  });

  test('another user and another address are not held up', async () => {
    const address = { 'x-forwarded-for': newAddress() };
    const bearer = await stack.bearer(++users);
    assert.deepEqual(await statuses(BURST + 1, '/api/rooms', { ...bearer, ...address }), [...times(BURST, 200), 429]);
    assert.equal((await call(stack.url, '/api/rooms', { ...(await stack.bearer(++users)), ...address })).status, 200);
    assert.equal((await call(stack.url, '/.well-known/jwks.json', address)).status, 200);
  });

  test('without a token the client address counts, also for tokens that are missing or wrong', async () => {
    const address = { 'x-forwarded-for': newAddress() };
    assert.deepEqual(await statuses(BURST - 2, '/.well-known/jwks.json', address), times(BURST - 2, 200));
    assert.deepEqual(await statuses(1, '/api/rooms', address), [401]);
    assert.deepEqual(await statuses(1, '/api/rooms', { ...address, authorization: 'Bearer wrong' }), [401]);
    assert.deepEqual(await statuses(2, '/api/rooms', { ...address, authorization: 'Bearer wrong' }), [429, 429]);
    assert.deepEqual(await statuses(1, '/api/v1/api-keys', address), [429]);
    // A user with a token is told apart from those who share the address.
    assert.deepEqual(await statuses(1, '/api/rooms', { ...address, ...(await stack.bearer(++users)) }), [200]);
  });

  test('headers of a limit behind the gateway pass', async () => {
    stack.auth.answer = (_request, response) => response.setHeader('RateLimit', '"email";r=3;t=42').end();
    const response = await call(stack.url, '/api/v1/api-keys', { 'x-forwarded-for': newAddress() });
    assert.equal(response.headers.get('ratelimit'), '"email";r=3;t=42');
  });

  test('a page may read the headers', async () => {
    const headers = { origin: 'https://chat.example.org', 'x-forwarded-for': newAddress() };
    const exposed = (await call(stack.url, '/.well-known/jwks.json', headers)).headers.get('access-control-expose-headers') ?? '';
    for (const name of ['RateLimit', 'RateLimit-Policy', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'Retry-After'])
      assert.ok(exposed.split(', ').includes(name), name);
  });
});

test('Redis killed: each gateway holds the limit by itself and stays ready', { timeout: 60_000 }, async () => {
  servers.redis.kill('SIGKILL');
  await servers.redis.exited;
  const bearer = await stack.bearer(++users);
  for (const url of urls) {
    const responses = await Promise.all(Array.from({ length: BURST + 5 }, () => call(url, '/api/rooms', bearer)));
    assert.equal(responses.filter(({ status }) => status === 200).length, BURST);
    assert.equal(responses.filter(({ status }) => status === 429).length, 5);
  }
  const metrics = await (await fetch(`${stack.adminUrl}/metrics`)).text();
  assert.match(metrics, /rate_limit_exceeded_total\{event="rest",[^}]*\} \d+/);
  assert.equal((await fetch(`${stack.adminUrl}/readyz`)).status, 200);
  await servers.start('redis');
  await Promise.all(urls.map(untilShared));
});
