// What a user's devices and the other members see beside messages: read markers, unread counts, receipts, room_updated, typing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import type { Frame, WsClient } from '../../helpers/ws-client.ts';

describe('devices', () => {
  let cluster: ChatCluster;
  let one: Replica;
  let two: Replica;
  before(async () => {
    cluster = await startChatCluster(2);
    [one, two] = cluster.replicas as [Replica, Replica];
  });
  after(() => cluster.stop());

  const about = (type: string, room: string) => (frame: Frame) => frame.type === type && frame['room_id'] === room;
  /** Answered after everything that was sent before it. */
  const settled = async (client: WsClient) => {
    const pongs = client.frames.filter((frame) => frame.type === 'pong').length;
    client.send({ type: 'ping' });
    await client.until(() => client.frames.filter((frame) => frame.type === 'pong').length > pongs || undefined);
  };

  test('a read marker moves the other devices and is seen by the other members', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, laptop, phone] = [await cluster.login(one, 1), await cluster.login(one, 2), await cluster.login(two, 2)];
    await alice.join(room);
    for (let index = 1; index <= 5; index++) await alice.say(room, `n${index}`, `n${index}`);
    laptop.send({ type: 'read', room_id: room, seq: 3 });
    const unread = await phone.next(about('unread_updated', room));
    assert.deepEqual([unread['unread_count'], unread['last_read_seq']], [2, 3]);
    assert.deepEqual((await phone.next(about('read', room)))['seq'], 3);
    assert.deepEqual((await alice.next(about('read', room)))['user_id'], 2);
    await settled(laptop);
    assert.equal(laptop.frames.find(about('unread_updated', room)), undefined, 'the device that moved the marker is not told');
    const joined = await phone.join(room);
    assert.deepEqual([joined['last_read_seq'], joined['unread_count']], [3, 2]);
  });

  test('a read marker never goes back and never past the end', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, laptop, phone] = [await cluster.login(one, 1), await cluster.login(one, 2), await cluster.login(two, 2)];
    for (let index = 1; index <= 4; index++) await alice.say(room, `n${index}`, `n${index}`);
    laptop.send({ type: 'read', room_id: room, seq: 1_000_000 });
    assert.equal((await phone.next(about('read', room)))['seq'], 4);
    laptop.send({ type: 'read', room_id: room, seq: 2 });
    const joined = await laptop.join(room);
    assert.deepEqual([joined['last_read_seq'], joined['unread_count']], [4, 0]);
    laptop.send({ type: 'read', room_id: await cluster.room([1]), seq: 1 });
    assert.equal((await laptop.next((frame) => frame.type === 'error'))['code'], 'not_a_member');
  });

  test('members who do not look at the room get room_updated, at most one a second', async () => {
    const room = await cluster.room([1, 2, 3]);
    const [alice, bob, carol, stranger] = [
      await cluster.login(one, 1),
      await cluster.login(two, 2),
      await cluster.login(two, 3),
      await cluster.login(two, 4),
    ];
    await carol.join(room);
    for (let index = 1; index <= 20; index++) await alice.say(room, `n${index}`, `u${index}`);
    const update = await bob.until(() => bob.frames.find((frame) => about('room_updated', room)(frame) && frame['last_seq'] === 20));
    assert.ok(Number.isFinite(Date.parse(String(update['last_message_at']))));
    assert.ok(bob.frames.filter(about('room_updated', room)).length <= 3);
    for (const client of [carol, stranger]) {
      await settled(client);
      assert.equal(client.frames.find(about('room_updated', room)), undefined);
    }
  });

  test('typing reaches the others, not the typist, and ends by itself', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, alicesPhone, bob] = [await cluster.login(one, 1), await cluster.login(two, 1), await cluster.login(two, 2)];
    for (const client of [alice, alicesPhone, bob]) await client.join(room);
    alice.send({ type: 'typing', room_id: room, is_typing: true });
    const sign = await bob.next(about('typing', room));
    assert.deepEqual([sign['user_id'], sign['user_name'], sign['is_typing']], [1, 'user 1', true]);
    await bob.next((frame) => about('typing', room)(frame) && frame['is_typing'] === false);
    // The exception holds for the sign only: both devices still get what is said.
    await bob.say(room, 'hello', 'h1');
    for (const client of [alice, alicesPhone]) {
      await client.next(about('message', room));
      assert.equal(client.frames.find(about('typing', room)), undefined);
    }
    const stranger = await cluster.login(one, 9);
    stranger.send({ type: 'typing', room_id: room, is_typing: true });
    assert.equal((await stranger.next((frame) => frame.type === 'error'))['code'], 'not_a_member');
  });
});
