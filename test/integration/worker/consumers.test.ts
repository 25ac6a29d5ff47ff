// Groups of consumers against a real broker: shared partitions, rebalances, the death of a broker, dead letters, lag.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { Registry } from 'prom-client';
import type { EventHandler } from '../../../services/worker/src/consumers/ports.ts';
import { startGroup } from '../../../services/worker/src/consumers/supervisor.ts';
import { workerMetrics } from '../../../services/worker/src/metrics.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { log } from './worker-stack.ts';

let servers: Servers<'kafka'>;
let producer: Producer;
const kafka = () =>
  new Kafka({
    brokers: [servers.kafka.url],
    logLevel: logLevel.NOTHING,
    retry: { retries: 30, initialRetryTime: 100, maxRetryTime: 1000 },
  });

before(async () => {
  servers = await startServers(['kafka']);
  producer = kafka().producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
});
after(async () => {
  await producer?.disconnect().catch(() => undefined);
  await servers?.stop();
});

const KEYS = 24;
const event = (key: number, number: number) => ({
  key: String(key),
  value: JSON.stringify({
    specversion: '1.0',
    id: `${key}:${number}`,
    source: '/parley/auth',
    type: 'chat.user.registered',
    subject: String(key),
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { user_id: key, name: String(number) },
  }),
});

/** Members of one group whose handlers write down what they get. */
function membersOf(name: string) {
  const heard: { member: string; id: string }[] = [];
  const start = (member: string, handle: (ids: string[]) => void | Promise<void> = () => undefined) => {
    const registry = new Registry();
    const metrics = workerMetrics(registry);
    const handler: EventHandler = {
      name,
      topics: ['users'],
      handle: async (events) => {
        const ids = events.map((each) => each.event.id);
        await handle(ids);
        heard.push(...ids.map((id) => ({ member, id })));
      },
    };
    const group = startGroup({ handler, brokers: [servers.kafka.url], clientId: `${name}-${member}`, metrics, log });
    return { metrics, stop: () => group.stop() };
  };
  return { heard, start };
}

/** First arrivals of a key, which is what a consumer is left with that drops ids it knows. */
function firstOf(heard: readonly { id: string }[], key: number): number[] {
  const ids = heard.map(({ id }) => id).filter((id) => id.startsWith(`${key}:`));
  return [...new Set(ids)].map((id) => Number(id.split(':')[1]));
}

function assertComplete(heard: readonly { id: string }[], count: number): void {
  for (let key = 1; key <= KEYS; key++) {
    assert.deepEqual(
      firstOf(heard, key),
      Array.from({ length: count }, (_, index) => index),
      `key ${key}`,
    );
  }
}

test('two members share the partitions; joins, leaves and the death of the broker lose and reorder nothing', async () => {
  const { heard, start } = membersOf('shared');
  const first = start('first');
  let sent = 0;
  const send = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      await producer.send({ topic: 'users', acks: -1, messages: Array.from({ length: KEYS }, (_, key) => event(key + 1, sent)) });
      sent++;
    }
  };
  const all = () => new Set(heard.map(({ id }) => id)).size === KEYS * sent;
  await eventually('the topic is there', async () => {
    const admin = kafka().admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    return topics.includes('users');
  });
  await send(20);
  await eventually('the first has everything', all);

  const second = start('second');
  await eventually('the second has a part', async () => {
    await send(1);
    return heard.some(({ member }) => member === 'second');
  });
  await send(50);
  await eventually('both have everything', all);
  assert.ok(heard.slice(-KEYS * 40).some(({ member }) => member === 'first'));

  const load = send(100);
  servers.kafka.kill('SIGKILL');
  await servers.kafka.exited;
  await servers.start('kafka');
  await load;
  await eventually('they go on after the broker', all);

  await second.stop();
  await send(20);
  await eventually('the first goes on alone', all);
  const { values } = await first.metrics.consumed.get();
  assert.ok((values.find(({ labels }) => labels.topic === 'users')?.value ?? 0) > 0);
  await eventually('there is no lag', async () => {
    const lag = await first.metrics.lag.get();
    return lag.values.length === 6 && lag.values.every(({ value }) => value === 0);
  });
  await first.stop();
  assertComplete(heard, sent);
  console.log(`    ${KEYS * sent} records, ${heard.length - KEYS * sent} of them twice`);
});

test('a member that ends while it works hands its records to the next one', async () => {
  const { heard, start } = membersOf('handover');
  let waiting = false;
  const stuck = start('stuck', () => {
    waiting = true;
    return Promise.reject(Object.assign(new Error('the database is away'), { code: 'ECONNREFUSED' }));
  });
  await eventually('it has begun', () => waiting);
  await stuck.stop();
  assert.deepEqual(heard, []);
  const next = start('next');
  await eventually('the next has everything', () => firstOf(heard, 1).length > 100);
  await next.stop();
});

test('a poisoned record is in the dead letters with its reason and its place, once, and those around it are handled', async () => {
  const { heard, start } = membersOf('poisoned');
  const before = { ...event(99, 0), key: 'poison' };
  const after = { ...event(99, 2), key: 'poison' };
  const [stored] = await producer.send({
    topic: 'users',
    acks: -1,
    messages: [before, { key: 'poison', value: '{"type":"chat.user.registered","data":', headers: { trace: 'kept' } }, event(98, 1), after],
  });
  assert.ok(stored);
  const member = start('only', (ids) => {
    if (ids.includes('98:1')) throw new TypeError('cannot work with this');
  });
  await eventually('those around it are handled', () => firstOf(heard, 99).length === 2);
  await eventually('both are counted', async () => (await member.metrics.consumedDeadLetters.get()).values[0]?.value === 2);
  await member.stop();

  const letters: { value: string; headers: Record<string, string> }[] = [];
  const reader = kafka().consumer({ groupId: 'reader', maxWaitTimeInMs: 100 });
  await reader.connect();
  await reader.subscribe({ topics: ['users.dlq'], fromBeginning: true });
  await reader.run({
    eachMessage: ({ message }) => {
      const headers = Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]));
      letters.push({ value: String(message.value), headers });
      return Promise.resolve();
    },
  });
  await eventually('the letters are read', () => letters.length >= 2);
  await reader.disconnect();
  assert.equal(letters.length, 2);
  const unreadable = letters.find(({ headers }) => headers['reason'] === 'unreadable');
  assert.match(unreadable?.headers['error'] ?? '', /^not JSON/);
  assert.equal(unreadable?.headers['original-topic'], 'users');
  assert.match(unreadable?.headers['original-offset'] ?? '', /^\d+$/);
  assert.equal(unreadable?.headers['trace'], 'kept');
  assert.equal(unreadable?.headers['group'], 'poisoned');
  assert.equal(unreadable?.value, '{"type":"chat.user.registered","data":');
  const failed = letters.find(({ headers }) => headers['reason'] === 'failed');
  assert.deepEqual([failed?.headers['error'], failed?.headers['tries']], ['cannot work with this', '5']);
});
