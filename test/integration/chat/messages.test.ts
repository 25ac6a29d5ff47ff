// Two users on two replicas: delivery, acks, duplicates, refusals.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { WsClient } from '../../helpers/ws-client.ts';

describe('messages between replicas', () => {
  let cluster: ChatCluster;
  let one: Replica;
  let two: Replica;
  before(async () => {
    cluster = await startChatCluster(2);
    [one, two] = cluster.replicas as [Replica, Replica];
  });
  after(() => cluster.stop());

  test('a message sent on one replica reaches a member on another and is acked after it is stored', async () => {
    const room = await cluster.room([1, 2]);
    const alice = await cluster.login(one, 1);
    const bob = await cluster.login(two, 2);
    await Promise.all([alice.join(room), bob.join(room)]);
    const ack = await alice.say(room, 'hello', 'm1');
    assert.equal(ack.type, 'ack');
    assert.equal(ack['seq'], 1);
    assert.equal(ack['duplicate'], false);
    assert.deepEqual(
      (await cluster.rows(room)).map((row) => row.content),
      ['hello'],
    );
    const received = await bob.next((frame) => frame.type === 'message');
    assert.equal(received['content'], 'hello');
    assert.equal(received['seq'], 1);
    assert.equal(received['sender_id'], 1);
    assert.equal(received['id'], ack['id']);
    const echo = await alice.next((frame) => frame.type === 'message');
    assert.deepEqual(echo, received);
  });

  test('the seed example works: join_room and message right after each other, before the token is verified', async () => {
    const room = await cluster.room([1]);
    const client = await WsClient.open(`${one.url}?token=${await cluster.issuer.token(1)}`);
    client.send({ type: 'join_room', room_id: room });
    client.send({ type: 'message', room_id: room, content: 'Hello!', message_type: 'text' });
    const ack = await client.next((frame) => frame.type === 'ack');
    assert.equal(ack['seq'], 1);
    await client.close();
  });

  test('the same client_msg_id on two replicas is one row with the same ack', async () => {
    const room = await cluster.room([1]);
    const [left, right] = [await cluster.login(one, 1), await cluster.login(two, 1)];
    const [first, second] = await Promise.all([left.say(room, 'once', 'same'), right.say(room, 'once', 'same')]);
    assert.equal(first.type, 'ack');
    assert.equal(second.type, 'ack');
    assert.deepEqual([first['id'], first['seq'], first['created_at']], [second['id'], second['seq'], second['created_at']]);
    assert.deepEqual([first['duplicate'], second['duplicate']].sort(), [false, true]);
    const third = await right.say(room, 'another text', 'same');
    assert.deepEqual([third['id'], third['duplicate']], [first['id'], true]);
    assert.equal((await cluster.rows(room)).length, 1);
  });

  test('many senders on two replicas: every member sees one dense order', async () => {
    const room = await cluster.room([1, 2, 3, 4]);
    const clients = await Promise.all([1, 2, 3, 4].map((user) => cluster.login(user % 2 ? one : two, user)));
    await Promise.all(clients.map((client) => client.join(room)));
    const each = 50;
    for (let index = 0; index < each; index++) {
      clients.forEach((client, user) =>
        client.send({ type: 'message', room_id: room, content: `${user}:${index}`, client_msg_id: `${user}-${index}` }),
      );
    }
    const total = each * clients.length;
    await Promise.all(clients.map((client) => client.until(() => client.messages(room).length >= total || undefined)));
    const stored = await cluster.rows(room);
    assert.deepEqual(
      stored.map((row) => row.seq),
      Array.from({ length: total }, (_, index) => index + 1),
    );
    for (const client of clients) {
      assert.deepEqual(
        client.messages(room).map((frame) => [frame['seq'], frame['content']]),
        stored.map((row) => [row.seq, row.content]),
      );
    }
  });

  test('somebody who is not a member can neither join nor send, and nothing is stored', async () => {
    const room = await cluster.room([1]);
    const stranger = await cluster.login(one, 99);
    assert.equal((await stranger.join(room))['code'], 'not_a_member');
    const refused = await stranger.say(room, 'let me in', 'x1');
    assert.deepEqual([refused.type, refused['code']], ['error', 'not_a_member']);
    assert.equal((await cluster.rows(room)).length, 0);
    const unknown = await stranger.join('00000000-0000-7000-8000-000000000000');
    assert.equal(unknown['code'], 'not_a_member');
  });

  test('leave_room stops delivery on this socket only', async () => {
    const room = await cluster.room([1, 2]);
    const [stays, leaves] = [await cluster.login(one, 1), await cluster.login(one, 1)];
    await Promise.all([stays.join(room), leaves.join(room)]);
    leaves.send({ type: 'leave_room', room_id: room });
    await leaves.next((frame) => frame.type === 'left');
    await stays.say(room, 'after', 'a1');
    await stays.next((frame) => frame.type === 'message');
    leaves.send({ type: 'ping' });
    await leaves.next((frame) => frame.type === 'pong');
    assert.equal(leaves.messages(room).length, 0);
  });

  test('Redis has one channel for the room while somebody is joined', async () => {
    const room = await cluster.room([1]);
    await (await cluster.login(one, 1)).join(room);
    const { Redis } = await import('ioredis');
    const redis = new Redis(cluster.servers.redis.url);
    const channels = (await redis.call('PUBSUB', 'CHANNELS', 'chat:room:*')) as string[];
    redis.disconnect();
    assert.ok(channels.includes(`chat:room:${room}`));
  });

  test('an emoji, a quote, a backslash and a NUL come back as they were sent', async () => {
    const room = await cluster.room([1]);
    const client = await cluster.login(one, 1);
    await client.join(room);
    const content = `'; DROP TABLE messages; -- "\\ \u0000 \n 😀 ${'é'.repeat(100)}`;
    await client.say(room, content, 'odd');
    assert.equal((await client.next((frame) => frame.type === 'message'))['content'], content);
    assert.equal((await cluster.rows(room))[0]?.content, content);
  });
});
