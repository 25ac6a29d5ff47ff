// The presence store: one suite for the memory twin and for real Redis.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { MemoryPresence } from '../../../services/chat/src/presence/memory-store.ts';
import { redisPresence } from '../../../services/chat/src/presence/redis-store.ts';
import type { PresenceStore } from '../../../services/chat/src/presence/store.ts';
import { quiet } from '../../helpers/chat-cluster.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';

interface World {
  store: (instance: string) => PresenceStore;
  /** ends the lease of an instance as time would */
  expire: (instance: string) => Promise<void>;
  /** loses all data */
  forget: () => Promise<void>;
}

const names = (...ids: number[]) => new Map(ids.map((id) => [id, `user ${id}`]));
const sorted = (ids: Iterable<number>) => [...ids].sort((a, b) => a - b);

function suite(world: () => Promise<World>): void {
  test('the first instance of a user hears that it is the first; the second does not', async () => {
    const { store } = await world();
    const [a, b] = [store('a'), store('b')];
    await Promise.all([a.beat(), b.beat()]);
    assert.deepEqual(sorted(await a.add(names(1, 2))), [1, 2]);
    assert.deepEqual(sorted(await b.add(names(2, 3))), [3]);
    assert.deepEqual(sorted(await b.online([1, 2, 3, 4])), [1, 2, 3]);
    assert.deepEqual(sorted(await a.add(names(1, 2))), [1], 'an answer that was lost on the way is given again');
    assert.deepEqual(sorted(await a.remove([1, 2], 5)), [1]);
    assert.deepEqual(sorted(await a.remove([1, 2], 5)), [1]);
  });

  test('of two instances that add a user at once, exactly one is the first; of two that remove, exactly one is the last', async () => {
    const { store } = await world();
    const [a, b] = [store('a'), store('b')];
    await Promise.all([a.beat(), b.beat()]);
    const ids = Array.from({ length: 50 }, (_, index) => index + 1);
    const [firstA, firstB] = await Promise.all([a.add(names(...ids)), b.add(names(...ids))]);
    assert.equal(firstA.size + firstB.size, 50);
    const [goneA, goneB] = await Promise.all([a.remove(ids, 5), b.remove(ids, 5)]);
    assert.equal(goneA.size + goneB.size, 50);
    assert.equal((await a.online(ids)).size, 0);
    assert.deepEqual((await b.lastSeen([7])).get(7), 5);
  });

  test('an instance whose lease has ended counts for nothing, and one other gets its users', async () => {
    const { store, expire } = await world();
    const [a, b, c] = [store('a'), store('b'), store('c')];
    await Promise.all([a.beat(), b.beat(), c.beat()]);
    await a.add(names(1, 2));
    await b.add(names(2));
    await expire('a');
    assert.deepEqual(sorted(await b.online([1, 2])), [2]);
    const gone = (await b.beat()).gone;
    assert.equal(gone.length, 1);
    assert.deepEqual((await c.beat()).gone, gone);
    const claims = await Promise.all([b.claim(gone), c.claim(gone)]);
    assert.equal(claims.filter((users) => users.size > 0).length, 1);
    const lost = claims.flatMap((users) => [...users]);
    assert.deepEqual(lost.sort(), [
      [1, 'user 1'],
      [2, 'user 2'],
    ]);
    assert.equal((await a.beat()).list, 'claimed', 'the instance learns that others told of its users');
    await a.add(names(1));
    assert.equal((await a.beat()).list, 'kept');
  });

  test('an instance that was away for long is told so, and one that came back cannot be claimed any more', async () => {
    const { store, expire } = await world();
    const [a, b] = [store('a'), store('b')];
    assert.equal((await a.beat()).inTime, false, 'the first beat of all is none in time');
    await b.beat();
    await a.add(names(1));
    await b.add(names(2));
    await Promise.all([expire('a'), expire('b')]);
    const { list, inTime, gone } = await a.beat();
    assert.deepEqual([list, inTime, gone.length], ['kept', false, 1]);
    assert.deepEqual((await b.beat()).gone, []);
    assert.equal((await a.claim(gone)).size, 0);
    assert.deepEqual(sorted(await a.online([1, 2])), [1, 2]);
    assert.equal((await a.beat()).inTime, true);
  });

  test('lost data is told from a claimed list', async () => {
    const { store, forget } = await world();
    const [a, b] = [store('a'), store('b')];
    await Promise.all([a.beat(), b.beat()]);
    await Promise.all([a.add(names(1)), b.add(names(2))]);
    await forget();
    const beats = [await a.beat(), await b.beat()];
    assert.deepEqual(
      beats.map(({ list, gone }) => [list, gone.length]),
      [
        ['empty', 0],
        ['empty', 0],
      ],
    );
  });

  test('an instance that leaves keeps its users for the grace', async () => {
    const { store, expire } = await world();
    const [a, b] = [store('a'), store('b')];
    await Promise.all([a.beat(), b.beat()]);
    await a.add(names(1));
    await a.leave(5000);
    assert.deepEqual(sorted(await b.online([1])), [1]);
    await expire('a');
    assert.deepEqual([...(await b.claim((await b.beat()).gone)).keys()], [1]);
  });

  test('thousands of users in one call', async () => {
    const { store } = await world();
    const a = store('a');
    await a.beat();
    const ids = Array.from({ length: 5000 }, (_, index) => index + 1);
    assert.equal((await a.add(names(...ids))).size, 5000);
    assert.equal((await a.online(ids)).size, 5000);
    assert.equal((await a.remove(ids, 1)).size, 5000);
  });
}

describe('presence store in memory', () => {
  suite(() => {
    const presence = new MemoryPresence(() => 1_000_000);
    return Promise.resolve({
      store: (instance) => presence.store(instance),
      expire: (instance) => Promise.resolve(presence.expire(instance)),
      forget: () => Promise.resolve(presence.forget()),
    });
  });
});

describe('presence store in Redis', () => {
  let servers: Servers<'redis'>;
  let redis: RedisClient;
  before(async () => {
    servers = await startServers(['redis']);
    redis = createRedis(servers.redis.url, 'test', quiet);
    await once(redis, 'ready');
  });
  after(async () => {
    redis.disconnect();
    await servers.stop();
  });
  suite(async () => {
    await redis.flushall();
    const suffix = randomUUID();
    return {
      store: (instance) => redisPresence(redis, `${instance}-${suffix}`),
      expire: async (instance) => void (await redis.zadd('chat:pods', 1, `${instance}-${suffix}`)),
      forget: async () => void (await redis.flushall()),
    };
  });
});
