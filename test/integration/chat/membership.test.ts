// A change of membership takes effect at its place in the room's order: on every replica, for joined sockets and joins under way.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { quiet, startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { announceEntry, changeMembership } from '../../helpers/membership.ts';

describe('membership', () => {
  let cluster: ChatCluster;
  let redis: RedisClient;
  let one: Replica;
  let two: Replica;
  before(async () => {
    cluster = await startChatCluster(2);
    [one, two] = cluster.replicas as [Replica, Replica];
    redis = createRedis(cluster.servers.redis.url, 'test', quiet);
    await once(redis, 'ready');
  });
  after(async () => {
    redis.disconnect();
    await cluster.stop();
  });

  test('who is removed gets nothing from that place on, on any replica; the others are told', async () => {
    const room = await cluster.room([1, 2, 3]);
    const [alice, bob, bobsPhone] = [await cluster.login(one, 1), await cluster.login(one, 2), await cluster.login(two, 2)];
    for (const client of [alice, bob, bobsPhone]) await client.join(room);
    await alice.say(room, 'before', 'm1');
    const entry = await changeMembership(cluster.pool, { roomId: room, userId: 2, event: 'member_removed' });
    await announceEntry(redis, entry);
    for (const client of [bob, bobsPhone]) {
      await client.next((frame) => frame.type === 'left');
      assert.equal(client.frames.at(-2)?.type, 'member_removed');
    }
    await alice.say(room, 'after', 'm2');
    const told = await alice.next((frame) => frame.type === 'member_removed');
    assert.deepEqual([told['user_id'], told['user_name']], [2, 'user 2']);
    assert.deepEqual(
      alice.messages(room).map((frame) => [frame['seq'], frame['kind']]),
      [
        [1, 'message'],
        [2, 'system'],
        [3, 'message'],
      ],
    );
    for (const client of [bob, bobsPhone]) {
      assert.deepEqual(
        client.messages(room).map((frame) => frame['seq']),
        [1],
      );
    }
    assert.equal((await bob.say(room, 'still here?', 'm3'))['code'], 'not_a_member');
    assert.equal((await bob.join(room))['code'], 'not_a_member');
  });

  test('a removal that nobody announced is found by comparing heads', async () => {
    const room = await cluster.room([1, 2]);
    const bob = await cluster.login(two, 2);
    await bob.join(room);
    await changeMembership(cluster.pool, { roomId: room, userId: 2, event: 'member_left' });
    await bob.next((frame) => frame.type === 'left' && frame['room_id'] === room, 15_000);
    assert.deepEqual(bob.messages(room), []);
  });

  test('messages of the moment of the removal: everything before it, nothing after it', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, bob] = [await cluster.login(one, 1), await cluster.login(two, 2)];
    await alice.join(room);
    await bob.join(room);
    const sending = Array.from({ length: 60 }, (_, index) => alice.say(room, `m${index}`, `race-${index}`));
    const entry = await changeMembership(cluster.pool, { roomId: room, userId: 2, event: 'member_removed' });
    await announceEntry(redis, entry);
    await Promise.all(sending);
    await bob.next((frame) => frame.type === 'left' && frame['room_id'] === room);
    assert.deepEqual(
      bob.messages(room).map((frame) => frame['seq']),
      Array.from({ length: entry.seq - 1 }, (_, index) => index + 1),
    );
  });

  test('who joins the room hears of it like everybody else, and may come back after leaving', async () => {
    const room = await cluster.room([1]);
    const alice = await cluster.login(one, 1);
    await alice.join(room);
    const bob = await cluster.login(two, 2);
    assert.equal((await bob.join(room))['code'], 'not_a_member');
    await announceEntry(redis, await changeMembership(cluster.pool, { roomId: room, userId: 2, event: 'member_joined' }));
    await alice.next((frame) => frame.type === 'member_joined');
    assert.equal((await bob.join(room, 0))['type'], 'joined');
    assert.deepEqual(
      bob.messages(room).map((frame) => frame['kind']),
      ['system'],
    );
  });

  test('removals while many join: no socket of a removed user stays in the room', async () => {
    const room = await cluster.room([1, 2, 3]);
    const alice = await cluster.login(one, 1);
    await alice.join(room);
    const bob = await cluster.login(two, 2);
    for (let round = 0; round < 15; round++) {
      const joining = bob.join(room, 0);
      const removed = await changeMembership(cluster.pool, { roomId: room, userId: 2, event: 'member_removed' });
      await announceEntry(redis, removed);
      await joining;
      const after = await alice.say(room, `round ${round}`, `round-${round}`);
      await alice.until(() => alice.messages(room).some((frame) => frame['seq'] === after['seq']) || undefined);
      // Comes over Redis behind everything that could still reach bob.
      assert.equal((await bob.join(room))['code'], 'not_a_member');
      assert.ok(bob.messages(room).every((frame) => Number(frame['seq']) !== after['seq']));
      await announceEntry(redis, await changeMembership(cluster.pool, { roomId: room, userId: 2, event: 'member_joined' }));
    }
  });
});
