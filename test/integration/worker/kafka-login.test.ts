// A Kafka of somebody else: TLS with an authority of its own, a login by each mechanism, and what a refusal looks like.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { newId } from '@parley/chat-store';
import { pino } from 'pino';
import { kafkaClient } from '../../../services/worker/src/kafka/client.ts';
import { kafkaSecurity } from '../../../services/worker/src/kafka/config.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { eventually } from '../../helpers/eventually.ts';
import { loginListener } from '../../helpers/kafka-login.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { metric, startWorkerStack, type WorkerStack } from './worker-stack.ts';

const folder = temporaryFolder();
const certificate = makeCertificate(folder);
const account = { user: 'parley', password: randomBytes(12).toString('base64url') };
const good = { KAFKA_TLS: 'true', KAFKA_CA: certificate.chain, KAFKA_USER: account.user, KAFKA_PASSWORD: account.password };

describe('a Kafka with a login', { timeout: 240_000 }, () => {
  let stack: WorkerStack;
  before(async () => {
    stack = await startWorkerStack({ kafkaClients: loginListener(account, certificate) });
  });
  const open = new Set<{ close: () => Promise<void> }>();
  const close = async (worker: { close: () => Promise<void> }): Promise<void> => {
    if (open.delete(worker)) await worker.close();
  };
  // A worker of a test that failed would do the work of the next one.
  afterEach(() => Promise.all([...open].map(close)));
  after(async () => {
    await stack?.stop();
    removeFolder(folder);
    // kafkajs goes on trying for minutes to reach what was closed meanwhile. A worker ends its process then, and so does this file.
    setTimeout(() => process.exit(), 1000).unref();
  });

  const readiness = async ({ adminPort }: { adminPort: number }) => {
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    return { status: response.status, failing: ((await response.json()) as { failing: Record<string, string> }).failing };
  };
  const records = async (topic: string): Promise<number> => {
    const security = kafkaSecurity({
      kafkaBrokers: [],
      kafkaTls: true,
      kafkaCa: certificate.chain,
      kafkaSaslMechanism: 'SCRAM-SHA-512',
      kafkaUser: account.user,
      kafkaPassword: account.password,
    });
    const admin = kafkaClient({ brokers: [stack.servers.kafka.url], security, clientId: 'count', onError: () => undefined }).admin();
    await admin.connect();
    try {
      // A topic that was just made has no leader for a moment.
      let offsets: { high: string }[] = [];
      const known = async () => {
        offsets = await admin.fetchTopicOffsets(topic).catch(() => []);
        return offsets.length > 0;
      };
      await eventually('the offsets of the topic', known);
      return offsets.reduce((sum, { high }) => sum + Number(high), 0);
    } finally {
      await admin.disconnect();
    }
  };
  /** A worker whose log can be read. */
  const workerOf = async (name: string, changed: Record<string, string>) => {
    const lines: { level: number; msg: string; reason?: string }[] = [];
    const own = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const worker = { lines, ...(await stack.worker(name, { ...good, ...changed }, own)) };
    open.add(worker);
    return worker;
  };

  test('each mechanism brings events into Kafka', async () => {
    for (const [index, mechanism] of ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'].entries()) {
      const worker = await workerOf(`by-${mechanism.toLowerCase()}`, { KAFKA_SASL_MECHANISM: mechanism });
      await stack.append(newId(), 2);
      await eventually(`${mechanism}: the outbox is empty`, async () => (await stack.waiting()) === 0);
      assert.equal(await records('chat.messages'), 2 * (index + 1), mechanism);
      assert.equal(await metric(worker.adminPort, /^parley_kafka_refused(?:\{.*\})? (\d+)/m), 0);
      assert.equal((await readiness(worker)).status, 200);
      await close(worker);
    }
  });

  test('a wrong password: one clear line, a metric, not ready with the reason; events wait, and come with the right one', async () => {
    const before = await records('chat.messages');
    const worker = await workerOf('wrong', { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_PASSWORD: 'not this one' });
    await stack.append(newId(), 3);
    await eventually('the worker is not ready', async () => (await readiness(worker)).status === 503);
    const { failing } = await readiness(worker);
    assert.match(failing['kafka'] ?? '', /^refused: the login failed: .*authentication failed/i);
    assert.equal(await metric(worker.adminPort, /^parley_kafka_refused(?:\{.*\})? (\d+)/m), 1);
    const errors = worker.lines.filter(({ level }) => level >= 50);
    assert.equal(errors.length, 1, JSON.stringify(errors));
    assert.match(errors[0]?.msg ?? '', /Kafka refuses this worker; check KAFKA_USER, KAFKA_PASSWORD and KAFKA_SASL_MECHANISM/);
    assert.ok(!JSON.stringify(worker.lines).includes('not this one'));
    await close(worker);
    assert.ok((await stack.waiting()) > 0);

    const right = await workerOf('right', { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' });
    await eventually('the outbox is empty', async () => (await stack.waiting()) === 0);
    assert.equal(await records('chat.messages'), before + 3);
    assert.equal((await readiness(right)).status, 200);
  });

  test('an authority that Node does not know: the log says so, and events wait', async () => {
    const worker = await workerOf('stranger', { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_CA: '' });
    await stack.append(newId(), 1);
    await eventually('a line names the certificate', () => worker.lines.some(({ reason }) => /certificate/.test(reason ?? '')));
    assert.equal((await readiness(worker)).status, 200);
    assert.ok((await stack.waiting()) > 0);
  });
});
