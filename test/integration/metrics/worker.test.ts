// The metrics of the worker, each by one known event, with real databases and a real broker that asks for a login.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before } from 'node:test';
import { newId, toBinary } from '@parley/chat-store';
import { topics } from '@parley/protocol';
import { kafkaClient } from '../../../services/worker/src/kafka/client.ts';
import { kafkaSecurity } from '../../../services/worker/src/kafka/config.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { eventually } from '../../helpers/eventually.ts';
import { loginListener } from '../../helpers/kafka-login.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { startReceiver, startWorkerStack, type WorkerStack } from '../worker/worker-stack.ts';
import { driveEach, Metric } from './documented-metrics.ts';

const folder = temporaryFolder();
const certificate = makeCertificate(folder);
const account = { user: 'parley', password: randomBytes(12).toString('base64url') };
const login = {
  KAFKA_TLS: 'true',
  KAFKA_CA: certificate.chain,
  KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  KAFKA_USER: account.user,
  KAFKA_PASSWORD: account.password,
};

type Worker = Awaited<ReturnType<WorkerStack['worker']>>;
let stack: WorkerStack;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let worker: Worker;
const metricsOf = ({ adminPort }: Worker): string => `http://127.0.0.1:${adminPort}/metrics`;
const other = (name: string, of: Worker): Metric => new Metric(name, () => metricsOf(of));

before(async () => {
  stack = await startWorkerStack({ kafkaClients: loginListener(account, certificate) });
  receiver = await startReceiver();
  worker = await stack.worker('metrics', { ...login, NOTIFICATIONS_WEBHOOK_URL: receiver.url });
  // Made before anything is sent: it hears only what comes after.
  await say(await roomOf([1]), 1);
  await other('kafka_messages_consumed_total', worker).becomes(1, { group: 'webhooks', topic: topics.messages });
  await other('kafka_messages_consumed_total', worker).becomes(1, { group: 'notifications', topic: topics.messages });
});
after(async () => {
  await worker?.close();
  await receiver?.stop();
  await stack?.stop();
  removeFolder(folder);
  // kafkajs goes on trying for minutes to reach what was closed meanwhile. A worker ends its process then, and so does this file.
  setTimeout(() => process.exit(), 1000).unref();
});

async function roomOf(userIds: readonly number[]): Promise<string> {
  const id = newId();
  const rows = userIds.map((userId) => [toBinary(id), userId, 'member', 'active', new Date()]);
  await stack.mysql.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [rows]);
  return id;
}
const say = (roomId: string, count: number): Promise<void> => stack.append(roomId, count);

/** A record that no group can read. */
async function nonsense(topic: string): Promise<void> {
  const security = kafkaSecurity({
    kafkaBrokers: [],
    kafkaTls: true,
    kafkaCa: certificate.chain,
    kafkaSaslMechanism: 'SCRAM-SHA-512',
    kafkaUser: account.user,
    kafkaPassword: account.password,
  });
  const kafka = kafkaClient({ brokers: [stack.servers.kafka.url], security, clientId: 'nonsense', onError: () => undefined });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ key: 'k', value: 'no JSON' }] });
  await producer.disconnect();
}

async function webhook(): Promise<{ id: string; key: string }> {
  const key = await stack.apiKey('auth', 'admin');
  const answer = await fetch(`http://127.0.0.1:${worker.port}/api/v1/webhooks`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ url: receiver.url, events: ['chat.message.created'] }),
  });
  assert.equal(answer.status, 201);
  return { id: ((await answer.json()) as { id: string }).id, key };
}

/** Moves by exactly so much, also some time after the answer: the samples are waited for. */
async function movesBy(metric: Metric, by: number, labels: Record<string, string>, act: () => Promise<unknown>): Promise<void> {
  const start = (await metric.value(labels)) ?? 0;
  await act();
  await metric.becomes(start + by, labels);
}

await driveEach(
  'worker',
  { metricsUrl: () => metricsOf(worker) },
  {
    parley_outbox_relay_active: async (metric) => {
      await metric.becomes(1, { database: 'chat' });
      await metric.becomes(1, { database: 'users' });
    },
    kafka_messages_produced_total: async (metric) => {
      const room = await roomOf([1]);
      await movesBy(metric, 2, { topic: topics.messages }, () => say(room, 2));
    },
    kafka_messages_consumed_total: async (metric) => {
      const room = await roomOf([1]);
      await movesBy(metric, 2, { group: 'notifications', topic: topics.messages }, () => say(room, 2));
    },
    parley_notifications_total: async (metric) => {
      const [heard, alone, system] = [await roomOf([1, 8]), await roomOf([1]), { result: 'nobody' }];
      await movesBy(metric, 2, { result: 'notify' }, () => say(heard, 2));
      await movesBy(metric, 1, system, () => say(alone, 1));
    },
    parley_consumer_retries_total: async (metric) => {
      const room = await roomOf([1, 9]);
      let refusals = 2;
      receiver.answers(() => (refusals-- > 0 ? 503 : 200));
      const told = other('parley_notifications_total', worker);
      await movesBy(metric, 2, { group: 'notifications' }, () => movesBy(told, 1, { result: 'notify' }, () => say(room, 1)));
    },
    kafka_consumer_lag: async (metric) => {
      const room = await roomOf([1, 10]);
      const labels = { group: 'notifications', topic: topics.messages };
      await metric.becomes(0, labels);
      receiver.answers(() => 503);
      await say(room, 3);
      await metric.becomes(3, labels);
      receiver.answers(() => 200);
      await metric.becomes(0, labels);
    },
    parley_consumer_dead_letters_total: async (metric) => {
      const webhooks = { group: 'webhooks', topic: topics.rooms };
      await movesBy(metric, 1, { group: 'audit', topic: topics.rooms }, () => movesBy(metric, 1, webhooks, () => nonsense(topics.rooms)));
    },
    parley_outbox_dead_letters_total: (metric) =>
      movesBy(metric, 1, { topic: topics.messages }, () =>
        stack.mysql.query("INSERT INTO outbox (topic, event_key, payload, created_at) VALUES (?, 'k', '{}', UTC_TIMESTAMP(3))", [
          topics.messages,
        ]),
      ),
    parley_webhook_attempts_total: async (metric) => {
      await webhook();
      const room = await roomOf([1]);
      await movesBy(metric, 2, { result: 'delivered' }, () => say(room, 2));
      let refusals = 1;
      receiver.answers(() => (refusals-- > 0 ? 503 : 200));
      await movesBy(metric, 1, { result: 'failed' }, () => movesBy(metric, 1, { result: 'delivered' }, () => say(room, 1)));
    },
    parley_webhook_waiting: async () => {
      const { id } = await webhook();
      const rows = ['a', 'b'].map((event) => [toBinary(id), event, 'chat.message.created', '{}', 'pending', '2999-01-01', new Date()]);
      await stack.mysql.query(
        'INSERT INTO webhook_deliveries (webhook_id, event_id, event_type, body, state, next_at, created_at) VALUES ?',
        [rows],
      );
      // Looked at once a minute; a worker that starts looks at once.
      const looking = await stack.worker('looking', { KAFKA_BROKERS: '' });
      await other('parley_webhook_waiting', looking).becomes(2);
      await looking.close();
    },
    parley_kafka_refused: async (metric) => {
      assert.equal(await metric.value(), 0);
      const refused = await stack.worker('refused', { ...login, KAFKA_PASSWORD: 'another one' });
      await other('parley_kafka_refused', refused).becomes(1);
      await refused.close();
    },
    kafka_broker_up: async (metric) => {
      await metric.becomes(1);
      stack.servers.kafka.kill('SIGKILL');
      await stack.servers.kafka.exited;
      await metric.becomes(0);
    },
    parley_outbox_rows: async (metric) => {
      const room = await roomOf([1]);
      await movesBy(metric, 2, { database: 'chat' }, async () => {
        await say(room, 5);
        await say(room, 1);
      });
    },
    parley_outbox_oldest_seconds: async (metric) => {
      await stack.mysql.query('UPDATE outbox SET created_at = UTC_TIMESTAMP(3) - INTERVAL 1 DAY');
      const age = await eventually('the age is measured', async () => {
        const value = (await metric.value({ database: 'chat' })) ?? 0;
        return value >= 86_400 ? value : undefined;
      });
      assert.ok(age < 2 * 86_400, `${age} s`);
    },
    parley_consumer_restarts_total: async (metric) => {
      // The broker stays away until kafkajs has given up, which ends the consumer.
      await eventually('a consumer has ended and was replaced', async () => (await metric.value({ group: 'audit' })) === 1, 240_000);
    },
  },
);
