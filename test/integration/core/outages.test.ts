// Core while one of its servers is away or holds nonsense.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCore, coreConfig } from '@parley/core';
import { loadConfig } from '@parley/kit/process';
import { createRedis } from '@parley/kit/redis';
import { log, startCoreStack, type CoreStack } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

let stack: CoreStack;
before(async () => {
  stack = await startCoreStack({}, { own: true });
});
after(() => stack.stop());

test('reads names from PostgreSQL when cache entries are nonsense, and repairs them', async () => {
  const redis = createRedis(stack.servers.redis.url, 'test', log);
  await eventually('redis client is connected', () => redis.status === 'ready');
  const wrong = { 11: 'no json', 12: '{"id":12}', 13: '{"id":1,"name":"somebody else"}', 14: '[]' };
  for (const [id, text] of Object.entries(wrong)) await redis.set(`user:${id}`, text);
  for (const id of Object.keys(wrong)) assert.equal((await stack.call(1, 'GET', `/api/v1/users/${id}`)).body.name, `name ${id}`);
  await eventually('the entry is repaired', async () => (await redis.get('user:11')) === '{"id":11,"name":"name 11"}');
  const ttl = await redis.ttl('user:11');
  assert.ok(ttl > 3200 && ttl <= 3600, `ttl ${ttl}`);
  await redis.set('user:15', '{"id":15,"name":"from the cache"}');
  assert.equal((await stack.call(1, 'GET', '/api/v1/users/15')).body.name, 'from the cache');
  assert.match(await stack.metrics(), /cache_hits_total\{cache="user".*\} 1\n/);
  redis.disconnect();
});

test('works without Redis: stays ready, shows names, and an accepted invitation is committed', async () => {
  const room = await stack.call(1, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: [2] });
  const invitation = (await stack.call(2, 'GET', '/api/invitations')).body.invitations[0]?.id;
  await stack.servers.redis.stop();
  assert.equal((await stack.call(2, 'POST', `/api/invitations/${invitation}/accept`)).status, 200);
  const rooms = (await stack.call(2, 'GET', '/api/rooms')).body.rooms;
  assert.deepEqual(
    rooms.map((each) => [each.id, each.members.map((member) => member.name)]),
    [[room.body.id, ['name 1', 'name 2']]],
  );
  assert.equal((await stack.call(1, 'POST', '/api/rooms', { room_type: 'direct', member_ids: [3] })).status, 201);
  assert.equal(await stack.ready(), true);
  await stack.servers.start('redis');
});

test('answers 503 with a time to come back while MySQL is away, is not ready, and recovers', async () => {
  assert.equal(await stack.ready(), true);
  await stack.servers.mysql.stop();
  for (const [method, path, body] of [
    ['GET', '/api/rooms', undefined],
    ['GET', '/api/invitations', undefined],
    ['POST', '/api/rooms', { room_type: 'direct', member_ids: [4] }],
    ['POST', `/api/invitations/${crypto.randomUUID()}/accept`, undefined],
  ] as const) {
    const reply = await stack.call(1, method, path, body);
    assert.deepEqual([reply.status, reply.body.code, reply.body.retry_after_ms], [503, 'unavailable', 1000], `${method} ${path}`);
  }
  assert.equal((await stack.call(1, 'GET', '/api/v1/users/me')).status, 200);
  await eventually('core is not ready', async () => !(await stack.ready()));
  await stack.servers.start('mysql');
  await eventually('core is ready again', () => stack.ready());
  assert.equal((await stack.call(1, 'GET', '/api/rooms')).status, 200);
});

test('answers 503 while PostgreSQL is away, is not ready, and recovers', async () => {
  await stack.servers.postgres.stop();
  const reply = await stack.call(1, 'GET', '/api/v1/users/me');
  assert.deepEqual([reply.status, reply.body.code], [503, 'unavailable']);
  await eventually('core is not ready', async () => !(await stack.ready()));
  await stack.servers.start('postgres');
  await eventually('core is ready again', () => stack.ready());
  assert.equal((await stack.call(1, 'GET', '/api/v1/users/me')).status, 200);
});

test('does not start without its database: gives up after the time allowed and says why', async () => {
  const env = { ...stack.env, DATABASE_URL: 'mysql://parley:x@127.0.0.1:1/parley', STARTUP_TIMEOUT_MS: '500' };
  await assert.rejects(
    startCore({ config: loadConfig(coreConfig, env, () => ''), log, instance: 'late' }),
    /MySQL is not reachable after 1 s: .*ECONNREFUSED/,
  );
});
