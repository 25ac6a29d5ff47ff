// Presence over real replicas: who joins sees who is online anywhere; others hear of coming and going; a crash does not leave ghosts.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { BEAT_EVERY_MS, LEASE_MS } from '../../../services/chat/src/presence/store.ts';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { freeze } from '../../helpers/freeze.ts';

describe('presence', () => {
  let cluster: ChatCluster;
  let one: Replica;
  let two: Replica;
  before(async () => {
    cluster = await startChatCluster(2);
    [one, two] = cluster.replicas as [Replica, Replica];
  });
  after(() => cluster.stop());

  test('the joiner gets the members online on every replica; they hear of the joiner', async () => {
    const room = await cluster.room([1, 2, 3]);
    const alice = await cluster.login(one, 1);
    await alice.join(room);
    const bob = await cluster.login(two, 2);
    const online = await alice.next((frame) => frame.type === 'user_online' && frame['user_id'] === 2);
    assert.deepEqual([online['room_id'], online['user_name']], [room, 'user 2']);
    await bob.join(room);
    const presence = await bob.next((frame) => frame.type === 'room_presence');
    const onlineUsers = presence['online_users'] as number[];
    assert.equal(presence['online_count'], onlineUsers.length);
    // Each replica tells of its users at its own ticks: alice is in the list, or told of right after it.
    const told = () =>
      bob.frames.filter((frame) => frame.type === 'user_online' && frame['room_id'] === room).map((frame) => frame['user_id']);
    await bob.until(() => [1, 2].every((userId) => onlineUsers.includes(userId) || told().includes(userId)) || undefined);
    await bob.close();
    const offline = await alice.next((frame) => frame.type === 'user_offline' && frame['user_id'] === 2);
    assert.ok(Number.isFinite(Date.parse(String(offline['last_seen']))));
    await alice.close();
  });

  test('kill -9 of a replica: its users are told offline when its lease has ended, once', async () => {
    const room = await cluster.room([4, 5]);
    const alice = await cluster.login(one, 4);
    await alice.join(room);
    const doomed = await cluster.startReplica('chat-doomed');
    await cluster.login(doomed, 5);
    await alice.next((frame) => frame.type === 'user_online' && frame['user_id'] === 5);
    await doomed.kill('SIGKILL');
    await alice.next((frame) => frame.type === 'user_offline' && frame['user_id'] === 5);
    assert.equal(alice.frames.filter((frame) => frame.type === 'user_offline' && frame['user_id'] === 5).length, 1);
  });

  test('Redis stands still for longer than a lease: nobody is told that anybody is gone', async () => {
    const room = await cluster.room([6, 7]);
    const [alice, bob] = [await cluster.login(one, 6), await cluster.login(two, 7)];
    await alice.join(room);
    await bob.join(room);
    await freeze(cluster.servers.redis.pid);
    await setTimeout(LEASE_MS + 3000);
    cluster.servers.redis.kill('SIGCONT');
    const carol = await cluster.login(two, 6);
    // Two beats: the leases run again, and a list that was claimed wrongly would have been told.
    await setTimeout(2 * BEAT_EVERY_MS + 1000);
    await carol.join(room);
    const presence = await carol.next((frame) => frame.type === 'room_presence' && frame['room_id'] === room);
    assert.deepEqual((presence['online_users'] as number[]).sort(), [6, 7]);
    const told = [...alice.frames, ...bob.frames].filter((frame) => frame['room_id'] === room && frame.type === 'user_offline');
    assert.deepEqual(told, []);
  });

  test('a room of more than 200 members gets a count', async () => {
    const room = await cluster.room(Array.from({ length: 250 }, (_, index) => 1000 + index));
    const client = await cluster.login(one, 1000);
    await client.join(room);
    const presence = await client.next((frame) => frame.type === 'room_presence' && frame['room_id'] === room);
    assert.deepEqual([presence['online_users'], presence['online_count']], [undefined, 1]);
  });
});
