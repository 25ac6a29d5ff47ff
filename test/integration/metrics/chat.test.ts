// The metrics of chat, each by one known event on real servers.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { toBinary } from '@parley/chat-store';
import { fillRoom, startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { WsClient } from '../../helpers/ws-client.ts';
import { driveEach, Metric } from './documented-metrics.ts';

const BURST = 5;
const SETTINGS = { MAX_CONNECTIONS: '123', MESSAGE_QUEUE_MAX: '77', SLOW_READER_SECONDS: '600', DATABASE_TIMEOUT_MS: '60000' };
let cluster: ChatCluster;
let replica: Replica;
let users = 0;
before(async () => {
  // Nothing comes back to a bucket while a test runs.
  cluster = await startChatCluster(1, { ...SETTINGS, RATE_MESSAGE_BURST: String(BURST), RATE_MESSAGE_PER_SECOND: '0.0001' });
  replica = cluster.replicas[0] as Replica;
});
after(() => cluster?.stop());

const metricsUrl = () => `${replica.adminUrl}/metrics`;
const another = (name: string) => new Metric(name, metricsUrl);
const login = (userId: number) => cluster.login(replica, userId);

/** Somebody who has said nothing yet, joined in a room of their own. */
async function talker(): Promise<{ client: WsClient; room: string; userId: number }> {
  const userId = ++users;
  const room = await cluster.room([userId]);
  const client = await login(userId);
  await client.join(room);
  return { client, room, userId };
}

const pong = (client: WsClient, count: number) =>
  client.until(() => client.frames.filter(({ type }) => type === 'pong').length === count || undefined);

/** Somebody who has joined a room, asked for a long backlog of another one and stopped reading it; and somebody who talks in the first. */
async function slowReader(): Promise<{ room: string; writer: WsClient; stalled: WsClient }> {
  const [reader, other] = [++users, ++users];
  const [room, long] = [await cluster.room([reader, other]), await cluster.room([reader, other])];
  await fillRoom(cluster.pool, long, { content: '\u0001'.repeat(8000), count: 500, senderId: other });
  const stalled = await login(reader);
  await stalled.join(room);
  const writer = await login(other);
  await writer.join(room);
  stalled.send({ type: 'join_room', room_id: long, after_seq: 0 });
  await stalled.next((frame) => frame.type === 'message');
  (stalled.socket as unknown as { _socket: { pause(): void } })._socket.pause();
  await another('chat_slow_sockets').becomes(1);
  return { room, writer, stalled };
}

await driveEach(
  'chat',
  { metricsUrl },
  {
    websocket_connections: async (metric) => {
      let client: WsClient | undefined;
      await metric.rises(1, {}, async () => (client = await login(++users)));
      const open = (await metric.value()) ?? 0;
      await client?.close();
      await metric.becomes(open - 1);
    },
    websocket_connections_max: (metric) => metric.becomes(123),
    users_online_total: (metric) =>
      metric.rises(1, {}, async () => {
        const userId = ++users;
        await login(userId);
        await login(userId);
      }),
    websocket_messages_received_total: async (metric) => {
      const client = await login(++users);
      await metric.rises(3, {}, async () => {
        for (let ping = 0; ping < 3; ping++) client.send({ type: 'ping' });
        await pong(client, 3);
      });
    },
    websocket_messages_sent_total: async (metric) => {
      const [alice, bob] = [++users, ++users];
      const room = await cluster.room([alice, bob]);
      const reader = await login(bob);
      await reader.join(room);
      const writer = await login(alice);
      await writer.join(room);
      // The last news before the room is quiet: what is told of the reader came in an earlier round.
      await reader.next((frame) => frame.type === 'user_online' && frame['user_id'] === alice);
      await metric.rises(2, {}, async () => {
        await writer.say(room, 'to both', 'one');
        for (const client of [writer, reader]) await client.next((frame) => frame.type === 'message' && frame['content'] === 'to both');
      });
    },
    websocket_errors_total: async (metric) => {
      const client = await login(++users);
      await metric.rises(1, { code: 'invalid_frame' }, async () => {
        client.send('no JSON');
        await client.next((frame) => frame.type === 'error');
      });
    },
    websocket_closed_total: async (metric) => {
      const client = await login(++users);
      const before = (await metric.value({ code: '1000' })) ?? 0;
      client.socket.close(1000);
      await metric.becomes(before + 1, { code: '1000' });
    },
    chat_messages_sent_total: async (metric) => {
      const { client, room } = await talker();
      await metric.rises(1, { duplicate: 'false' }, () => client.say(room, 'once', 'same'));
      await metric.rises(1, { duplicate: 'true' }, () => client.say(room, 'once', 'same'));
    },
    chat_commit_duration_seconds: async (metric) => {
      const { client, room } = await talker();
      await metric.rises(2, {}, async () => {
        for (const id of ['a', 'b']) await client.say(room, 'a transaction each', id);
      });
    },
    chat_commit_messages: async (metric) => {
      const { client, room } = await talker();
      await metric.rises(2, {}, async () => {
        for (const id of ['a', 'b']) await client.say(room, 'a transaction each', id);
      });
    },
    chat_commit_failures_total: async (metric) => {
      const { client, room } = await talker();
      await cluster.pool.query('RENAME TABLE outbox TO outbox_away');
      try {
        await metric.rises(1, { failure: 'data' }, async () => assert.equal((await client.say(room, 'lost', 'a')).type, 'error'));
      } finally {
        await cluster.pool.query('RENAME TABLE outbox_away TO outbox');
      }
    },
    chat_rooms_active: (metric) => metric.rises(1, {}, talker),
    chat_writer_queue: async (metric) => {
      const { client, room } = await talker();
      const lock = await cluster.pool.getConnection();
      await lock.beginTransaction();
      await lock.query('SELECT id FROM rooms WHERE id = ? FOR UPDATE', [toBinary(room)]);
      const acks = [client.say(room, 'in a transaction that waits for the room', 'a')];
      client.send({ type: 'ping' });
      await pong(client, 1);
      for (const id of ['b', 'c']) acks.push(client.say(room, 'behind it', id));
      await metric.becomes(2);
      await lock.rollback();
      lock.release();
      for (const ack of await Promise.all(acks)) assert.equal(ack.type, 'ack');
      await metric.becomes(0);
    },
    chat_writer_queue_max: (metric) => metric.becomes(77),
    chat_repaired_entries_total: async (metric) => {
      const { room, userId } = await talker();
      const before = (await metric.value()) ?? 0;
      await fillRoom(cluster.pool, room, { content: 'x', count: 1, senderId: userId });
      await metric.becomes(before + 1);
    },
    chat_presence_events_total: async (metric) => {
      const [alice, bob] = [++users, ++users];
      const room = await cluster.room([alice, bob]);
      const watcher = await login(bob);
      await watcher.join(room);
      const before = (await metric.value({ outcome: 'sent' })) ?? 0;
      await login(alice);
      await watcher.next((frame) => frame.type === 'user_online' && frame['user_id'] === alice);
      const told = (await metric.value({ outcome: 'sent' })) ?? 0;
      // Of the watcher, too, if the round came after the first look.
      assert.ok(told - before === 1 || told - before === 2, `${before} to ${told}`);
    },
    rate_limit_exceeded_total: async (metric) => {
      const { client, room } = await talker();
      await metric.rises(2, { event: 'message' }, async () => {
        for (let message = 0; message < BURST; message++) assert.equal((await client.say(room, 'x', `m${message}`)).type, 'ack');
        for (const client_msg_id of ['one-more', 'two-more']) client.send({ type: 'message', room_id: room, content: 'x', client_msg_id });
        await client.until(() => client.frames.filter(({ type }) => type === 'rate_limit_exceeded').length === 2 || undefined);
      });
    },
    chat_slow_sockets: async (metric) => {
      await metric.becomes(0);
      const { stalled } = await slowReader();
      stalled.socket.terminate();
      await metric.becomes(0);
    },
    chat_ephemeral_skipped_total: async (metric) => {
      const { room, writer, stalled } = await slowReader();
      const before = (await metric.value()) ?? 0;
      writer.send({ type: 'typing', room_id: room, is_typing: true });
      await metric.becomes(before + 1);
      stalled.socket.terminate();
    },
    chat_redis_connected: async (metric) => {
      await metric.becomes(1);
      await cluster.servers.redis.stop();
      await metric.becomes(0);
    },
    rate_limit_local_decisions_total: async (metric) => {
      const { client, room } = await talker();
      await metric.rises(
        2,
        { event: 'message' },
        async () => {
          for (const id of ['a', 'b']) await client.say(room, 'Redis is away', id);
        },
        2,
      );
      await cluster.servers.start('redis');
    },
    chat_drain_ends_timestamp_seconds: async () => {
      const leaving = await cluster.startReplica('chat-leaving', { DRAIN_WINDOW_MS: '60000' });
      const metric = new Metric('chat_drain_ends_timestamp_seconds', () => `${leaving.adminUrl}/metrics`);
      assert.equal(await metric.value(), 0);
      await cluster.login(leaving, ++users);
      const begun = Date.now() / 1000;
      leaving.process.kill('SIGTERM');
      const ends = await eventually('the drain has begun', async () => (await metric.value()) || undefined);
      assert.ok(ends >= begun + 60 && ends <= Date.now() / 1000 + 60, `${ends - begun} s`);
    },
  },
);
