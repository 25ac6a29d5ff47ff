// The outbox relay against real databases and a real broker: order, outages, one relay at a time, records that are refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectMysql, newId } from '@parley/chat-store';
import type { MessageCreated } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import { eventually } from '../../helpers/eventually.ts';
import { freeze } from '../../helpers/freeze.ts';
import { listen, metric, startWorkerStack, type Heard, type WorkerStack } from './worker-stack.ts';

let stack: WorkerStack;
before(async () => {
  stack = await startWorkerStack({ own: ['mysql'] });
});
after(() => stack?.stop());

const eventsOf = (heard: readonly Heard[], roomId: string) =>
  heard.filter((each) => each.key === roomId).map((each) => JSON.parse(each.value) as MessageCreated);
/** seqs without repeats, in the order of their first arrival: what a consumer sees that drops known ids. */
const firstSeqs = (heard: readonly Heard[], roomId: string) => [...new Set(eventsOf(heard, roomId).map((event) => event.data.seq))];
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const activeOf = (port: number) => metric(port, /parley_outbox_relay_active\{database="chat".*\} (\d)/);

test('sends each entry as a CloudEvent in the order of its room, other events as they are, and empties the outbox', async () => {
  const rooms = [newId(), newId(), newId()];
  for (let batch = 0; batch < 30; batch++) await stack.append(rooms[batch % 3] ?? '', (batch % 7) + 1);
  await stack.mysql.query(
    "INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ('chat.rooms', 'r', '{\"type\":\"chat.room.created\"}', UTC_TIMESTAMP(3))",
  );
  await stack.postgres.query("INSERT INTO outbox (topic, event_key, payload) VALUES ('users', '7', '{\"type\":\"user.registered\"}')");
  const worker = await stack.worker('order');
  await eventually(
    'the outbox is empty',
    async () => (await stack.waiting()) === 0 && (await stack.postgres.query('SELECT 1 FROM outbox')).rowCount === 0,
  );
  const { heard, stop } = await listen(stack, ['chat.messages', 'chat.rooms', 'users']);
  /** 30 batches of 1 to 7 entries, and one event of each other topic. */
  const total = 115 + 2;
  await eventually('everything is heard', () => heard.length >= total);
  await stop();
  for (const room of rooms)
    assert.deepEqual(
      eventsOf(heard, room).map((event) => event.data.seq),
      upTo(eventsOf(heard, room).length),
    );
  const [event] = eventsOf(heard, rooms[0] ?? '');
  assert.deepEqual(
    [event?.specversion, event?.id, event?.type, event?.subject, event?.data.content],
    ['1.0', `${rooms[0]}:1`, 'chat.message.created', rooms[0], 'text'],
  );
  const others = heard
    .filter((each) => each.topic !== 'chat.messages')
    .map(({ topic, key, value }) => [topic, key, (JSON.parse(value) as { type: string }).type]);
  assert.deepEqual(others.sort(), [
    ['chat.rooms', 'r', 'chat.room.created'],
    ['users', '7', 'user.registered'],
  ]);
  const admin = stack.kafka().admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: ['chat.messages', 'chat.rooms', 'users', 'chat.messages.dlq'] });
  await admin.disconnect();
  assert.deepEqual(
    topics.map((topic) => topic.partitions.length),
    [6, 6, 6, 6],
  );
  assert.equal(await metric(worker.adminPort, /kafka_messages_produced_total\{topic="chat.messages".*\} (\d+)/), 115);
  await worker.close();
});

test('keeps events while Kafka is stopped and sends all of them in order when it is back', async () => {
  const worker = await stack.worker('outage');
  const room = newId();
  await stack.append(room, 3);
  await eventually('the first are sent', async () => (await stack.waiting()) === 0);
  stack.servers.kafka.kill('SIGKILL');
  await stack.servers.kafka.exited;
  for (let batch = 0; batch < 20; batch++) await stack.append(room, 2);
  assert.equal(await stack.waiting(), 20);
  const ready = await fetch(`http://127.0.0.1:${worker.adminPort}/readyz`);
  assert.equal(ready.status, 200, 'waiting for Kafka is what a worker does');
  await eventually(
    'the metric shows what waits',
    async () => (await metric(worker.adminPort, /parley_outbox_rows\{database="chat".*\} (\d+)/)) === 20,
  );
  await stack.servers.start('kafka');
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);
  const { heard, stop } = await listen(stack, ['chat.messages']);
  await eventually('everything is heard', () => firstSeqs(heard, room).length === 43);
  await stop();
  assert.deepEqual(firstSeqs(heard, room), upTo(43));
  await worker.close();
});

test('only one of two workers sends; the other takes over when the first ends or loses its lock', async () => {
  const first = await stack.worker('first');
  await eventually('the first is active', async () => (await activeOf(first.adminPort)) === 1);
  const second = await stack.worker('second');
  const room = newId();
  await stack.append(room, 5);
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);
  assert.equal(await activeOf(second.adminPort), 0);

  // The lock's connection dies: the first stops at once, either of them goes on, never both.
  const killer = await connectMysql(stack.servers.mysql.url);
  const [rows] = await killer.query<RowDataPacket[]>("SELECT IS_USED_LOCK(CONCAT('parley.relay.', LEFT(SHA2(DATABASE(), 256), 16))) AS id");
  await killer.query(`KILL ${Number(rows[0]?.['id'])}`);
  await killer.end();
  await eventually('the second is active', async () => (await activeOf(second.adminPort)) === 1);
  assert.equal(await activeOf(first.adminPort), 0);
  await stack.append(room, 5);
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);

  await second.close();
  await eventually('the first is active again', async () => (await activeOf(first.adminPort)) === 1);
  await stack.append(room, 5);
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);
  await first.close();
  const { heard, stop } = await listen(stack, ['chat.messages']);
  await eventually('everything is heard', () => firstSeqs(heard, room).length === 15);
  await stop();
  assert.deepEqual(
    eventsOf(heard, room).map((event) => event.data.seq),
    upTo(15),
    'nothing twice in an orderly change',
  );
});

test('a frozen database costs the lock, not the worker: it goes on when the database does', async () => {
  const worker = await stack.worker('frozen');
  await eventually('it is active', async () => (await activeOf(worker.adminPort)) === 1);
  const room = newId();
  await stack.append(room, 2);
  await freeze(stack.servers.mysql.pid);
  await eventually('it has given up the lock', async () => (await activeOf(worker.adminPort)) === 0);
  assert.equal((await fetch(`http://127.0.0.1:${worker.adminPort}/readyz`)).status, 503);
  stack.servers.mysql.kill('SIGCONT');
  await eventually('it is active again', async () => (await activeOf(worker.adminPort)) === 1);
  await stack.append(room, 2);
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);
  const { heard, stop } = await listen(stack, ['chat.messages']);
  await eventually('everything is heard', () => firstSeqs(heard, room).length === 4);
  await stop();
  assert.deepEqual(firstSeqs(heard, room), upTo(4));
  await worker.close();
});

test('a record that Kafka refuses and a row without meaning go to the dead letters, and what follows is sent', async () => {
  const admin = stack.kafka().admin();
  await admin.connect();
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: 'chat.messages', configEntries: [{ name: 'max.message.bytes', value: '20000' }] }],
  });
  const room = newId();
  await stack.append(room, 2);
  await stack.append(room, 1, 'x'.repeat(30_000));
  await stack.mysql.query(
    "INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ('chat.messages', 'odd', 'nonsense', UTC_TIMESTAMP(3))",
  );
  await stack.append(room, 2);
  const worker = await stack.worker('refused');
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);
  const { heard, stop } = await listen(stack, ['chat.messages', 'chat.messages.dlq']);
  const letters = () => heard.filter((each) => each.topic === 'chat.messages.dlq');
  const sent = () => heard.filter((each) => each.topic === 'chat.messages');
  await eventually('everything is heard', () => letters().length >= 2 && firstSeqs(sent(), room).length === 4);
  await stop();
  assert.deepEqual(firstSeqs(sent(), room), [1, 2, 4, 5]);
  const large = letters().find((each) => each.key === room);
  assert.match(large?.headers['reason'] ?? '', /MESSAGE_TOO_LARGE/);
  assert.equal((JSON.parse(large?.value ?? '{}') as { id?: string }).id, `${room}:3`);
  assert.equal(letters().find((each) => each.key === 'odd')?.headers['reason'], 'payload is not a range of messages');
  assert.equal(await metric(worker.adminPort, /parley_outbox_dead_letters_total\{topic="chat.messages".*\} (\d+)/), 2);
  await worker.close();
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'chat.messages', configEntries: [] }] });
  await admin.disconnect();
});

test('an end under load loses nothing: the batch in flight is finished, the rest is sent by the next worker', async () => {
  const room = newId();
  for (let batch = 0; batch < 300; batch++) await stack.append(room, 10);
  const worker = await stack.worker('ending');
  await eventually('it has begun', async () => (await stack.waiting()) < 300);
  await worker.close();
  const next = await stack.worker('next');
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);
  await next.close();
  const { heard, stop } = await listen(stack, ['chat.messages']);
  await eventually('everything is heard', () => firstSeqs(heard, room).length === 3000);
  await stop();
  assert.deepEqual(
    eventsOf(heard, room).map((event) => event.data.seq),
    upTo(3000),
  );
});

test('without brokers events wait, are counted, and the worker is ready', async () => {
  await stack.append(newId(), 1);
  const worker = await stack.worker('waiting', { KAFKA_BROKERS: '' });
  await eventually(
    'the row is counted',
    async () => (await metric(worker.adminPort, /parley_outbox_rows\{database="chat".*\} (\d+)/)) === 1,
  );
  assert.ok(((await metric(worker.adminPort, /parley_outbox_oldest_seconds\{database="chat".*\} ([\d.]+)/)) ?? -1) >= 0);
  assert.equal((await fetch(`http://127.0.0.1:${worker.adminPort}/readyz`)).status, 200);
  assert.equal(await stack.waiting(), 1);
  await worker.close();
});
