// Notifications: for members who are offline, not for the sender, once an event, and with patience for a receiver that is away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, toBinary } from '@parley/chat-store';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { redisPresence } from '../../../services/chat/src/presence/redis-store.ts';
import { eventually } from '../../helpers/eventually.ts';
import { log, metric, startReceiver, startWorkerStack, type Call, type WorkerStack } from './worker-stack.ts';

let stack: WorkerStack;
let redis: RedisClient;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let worker: Awaited<ReturnType<WorkerStack['worker']>>;
before(async () => {
  stack = await startWorkerStack();
  redis = createRedis(stack.servers.redis.url, 'test', log);
  await eventually('redis is there', () => redis.status === 'ready');
  receiver = await startReceiver();
  worker = await stack.worker('notifying', {
    NOTIFICATIONS_WEBHOOK_URL: receiver.url,
    NOTIFICATIONS_WEBHOOK_SECRET: 'a secret that is long enough',
  });
});
after(async () => {
  await worker?.close();
  redis?.disconnect();
  await receiver?.stop();
  await stack?.stop();
});

/** Entries of the stack are sent by user 1. */
const SENDER = 1;
async function roomOf(userIds: readonly number[]): Promise<string> {
  const id = newId();
  const rows = userIds.map((userId) => [toBinary(id), userId, 'member', 'active', new Date()]);
  await stack.mysql.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [rows]);
  return id;
}
interface Told {
  room_id: string;
  seq: number;
  user_ids: number[];
  preview: string;
}
const toldOf = (calls: readonly Call[], roomId: string) =>
  calls.map(({ body }) => JSON.parse(body) as Told).filter((each) => each.room_id === roomId);

test('members without a socket are told of, in one notification a message; the sender and who is online are not', async () => {
  const presence = redisPresence(redis, 'chat-1');
  await presence.beat();
  await presence.add(new Map([[2, 'Bob']]));
  const room = await roomOf([SENDER, 2, 3, 4]);
  await stack.append(room, 2, 'good morning');
  await eventually('both are told of', () => toldOf(receiver.taken, room).length === 2);
  const [first, second] = toldOf(receiver.taken, room);
  assert.deepEqual([first?.seq, first?.user_ids.sort(), first?.preview], [1, [3, 4], 'good morning']);
  assert.equal(second?.seq, 2);
  assert.match(String(receiver.taken[0]?.headers['x-parley-signature']), /^t=\d+,v1=[0-9a-f]{64}$/);
});

test('nobody is told of when all are online, nor in rooms with more than 200 members', async () => {
  const online = await roomOf([SENDER, 2]);
  const large = await roomOf(Array.from({ length: 201 }, (_, index) => index + 1));
  const full = await roomOf(Array.from({ length: 200 }, (_, index) => index + 1));
  await stack.append(online, 1);
  await stack.append(large, 1);
  await stack.append(full, 1);
  await eventually('the full room is told of', () => toldOf(receiver.taken, full).length === 1);
  const counted = (result: string) => metric(worker.adminPort, new RegExp(`parley_notifications_total\\{result="${result}".*\\} (\\d+)`));
  await eventually('the others are counted', async () => (await counted('online')) === 1 && (await counted('large')) === 1);
  assert.equal(toldOf(receiver.calls, online).length + toldOf(receiver.calls, large).length, 0);
  assert.equal(toldOf(receiver.taken, full)[0]?.user_ids.length, 198);
});

test('an event that comes again is not told of again', async () => {
  const room = await roomOf([SENDER, 9]);
  await stack.append(room, 1);
  await eventually('it is told of', () => toldOf(receiver.taken, room).length === 1);
  await stack.mysql.query("INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ('chat.messages', ?, ?, UTC_TIMESTAMP(3))", [
    room,
    JSON.stringify({ room_id: room, from_seq: 1, to_seq: 1 }),
  ]);
  await stack.append(room, 1);
  await eventually('the next is told of', () => toldOf(receiver.taken, room).length >= 2);
  assert.deepEqual(
    toldOf(receiver.calls, room).map(({ seq }) => seq),
    [1, 2],
  );
});

test('a receiver or a Redis that is away is waited for, and everything is told of then', async () => {
  const room = await roomOf([SENDER, 9]);
  receiver.answers(() => 503);
  await stack.append(room, 2);
  await eventually('it was tried', () => receiver.calls.length > receiver.taken.length);
  receiver.answers(() => 200);
  await eventually('both are told of', () => toldOf(receiver.taken, room).length === 2);
  stack.servers.redis.kill('SIGKILL');
  await stack.servers.redis.exited;
  await stack.append(room, 1);
  await eventually(
    'it waits',
    async () => ((await metric(worker.adminPort, /parley_consumer_retries_total\{group="notifications".*\} (\d+)/)) ?? 0) >= 3,
  );
  assert.equal((await fetch(`http://127.0.0.1:${worker.adminPort}/readyz`)).status, 200);
  await stack.servers.start('redis');
  await eventually('it is told of', () => toldOf(receiver.taken, room).length === 3);
  assert.equal(await metric(worker.adminPort, /parley_consumer_dead_letters_total\{group="notifications".*\} (\d+)/), undefined);
});
