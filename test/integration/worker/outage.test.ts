// Kafka is killed under load: every committed message arrives at least once, in the order of its room, at a reader of the topic and
// at a webhook. PARLEY_KAFKA_OUTAGE_SECONDS makes the outage longer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '@parley/chat-store';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../helpers/eventually.ts';
import { listen, metric, startReceiver, startWorkerStack, type WorkerStack } from './worker-stack.ts';

const OUTAGE_SECONDS = Number(process.env.PARLEY_KAFKA_OUTAGE_SECONDS ?? 10);
/** Load before and after the outage. */
const AROUND_MS = 2000;
const ROOMS = 20;
const DRAIN_WITHIN_MS = 120_000;

let stack: WorkerStack;
before(async () => {
  stack = await startWorkerStack();
});
after(() => stack?.stop());

test(`Kafka is away for ${OUTAGE_SECONDS} s under load`, { timeout: 240_000 + OUTAGE_SECONDS * 2000 }, async (t) => {
  const workers = [await stack.worker('outage-1'), await stack.worker('outage-2')];
  const receiver = await startReceiver();
  const hooked = newId();
  const key = await stack.apiKey('admin');
  const made = await fetch(`http://127.0.0.1:${workers[0]?.port}/api/v1/webhooks`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ url: receiver.url, events: ['chat.message.created'], room_id: hooked }),
  });
  assert.equal(made.status, 201);
  const rooms = [hooked, ...Array.from({ length: ROOMS - 1 }, () => newId())];
  const counts = new Map(rooms.map((room) => [room, 0]));
  let loading = true;
  const load = async (own: readonly string[]) => {
    while (loading) {
      for (const room of own) {
        await stack.append(room, 3);
        counts.set(room, (counts.get(room) ?? 0) + 3);
      }
      await sleep(10);
    }
  };
  const loads = [load(rooms.slice(0, ROOMS / 2)), load(rooms.slice(ROOMS / 2))];
  const total = () => [...counts.values()].reduce((sum, count) => sum + count, 0);

  await sleep(AROUND_MS);
  const killed = total();
  stack.servers.kafka.kill('SIGKILL');
  await stack.servers.kafka.exited;
  await sleep(OUTAGE_SECONDS * 1000);
  const waiting = await stack.waiting();
  for (const { adminPort } of workers) assert.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200);
  await stack.servers.start('kafka');
  const backAt = Date.now();
  await sleep(AROUND_MS);
  loading = false;
  await Promise.all(loads);
  await eventually('the outbox is empty', async () => (await stack.waiting()) === 0, DRAIN_WITHIN_MS);
  const drainedMs = Date.now() - backAt;

  const { heard, stop } = await listen(stack, ['chat.messages']);
  const seqsOf = (room: string) =>
    heard.filter((each) => each.key === room).map(({ value }) => (JSON.parse(value) as { data: { seq: number } }).data.seq);
  await eventually('every message is heard', () => rooms.every((room) => new Set(seqsOf(room)).size === counts.get(room)), DRAIN_WITHIN_MS);
  await stop();
  for (const room of rooms) {
    assert.deepEqual(
      [...new Set(seqsOf(room))],
      Array.from({ length: counts.get(room) ?? 0 }, (_, index) => index + 1),
      'in the order of the room',
    );
  }
  await eventually('the webhook has all of its room', () => receiver.taken.length >= (counts.get(hooked) ?? 0), DRAIN_WITHIN_MS);
  const delivered = receiver.taken.map(({ body }) => (JSON.parse(body) as { data: { seq: number } }).data.seq);
  assert.deepEqual(
    [...new Set(delivered)],
    Array.from({ length: counts.get(hooked) ?? 0 }, (_, index) => index + 1),
  );
  const deadLetters = await Promise.all(
    workers.map(({ adminPort }) => metric(adminPort, /parley_consumer_dead_letters_total\{.*\} (\d+)/)),
  );
  assert.deepEqual(deadLetters, [undefined, undefined]);
  t.diagnostic(
    `${total()} messages in ${ROOMS} rooms, ${total() - killed} of them after the kill; ${waiting} outbox rows waited at the end of the outage, ` +
      `the outbox was empty ${(drainedMs / 1000).toFixed(1)} s after the broker was back (load went on for ${AROUND_MS / 1000} s of it); ` +
      `${heard.length - total()} records twice in the topic, ${delivered.length - (counts.get(hooked) ?? 0)} deliveries twice at the webhook`,
  );
  for (const worker of workers) await worker.close();
  await receiver.stop();
});

test('a worker starts and ends without delay while Kafka is away', async () => {
  stack.servers.kafka.kill('SIGKILL');
  await stack.servers.kafka.exited;
  const worker = await stack.worker('without-kafka');
  assert.equal((await fetch(`http://127.0.0.1:${worker.adminPort}/readyz`)).status, 200);
  // In the middle of its tries to connect.
  await sleep(1000);
  const begun = Date.now();
  await worker.close();
  assert.ok(Date.now() - begun < 10_000, `${Date.now() - begun} ms`);
  await stack.servers.start('kafka');
});
