// The worker and a database that does not answer and does not hang up: each read and the wait for the relay's lock end in time with an
// error, and the relay goes on when the database does.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectMysql, createMysqlPool, mysqlLimits, newId, type MysqlPool } from '@parley/chat-store';
import { mysqlLock } from '../../../services/worker/src/locks/mysql-lock.ts';
import { mysqlEntries, mysqlOutbox } from '../../../services/worker/src/relay/mysql-outbox.ts';
import { isPassing } from '../../../services/worker/src/consumers/failure.ts';
import { mysqlQueue } from '../../../services/worker/src/webhooks/mysql-queue.ts';
import { mysqlDeliveryIntake } from '../../../services/worker/src/webhooks/mysql-webhooks.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freeze } from '../../helpers/freeze.ts';
import { listen, metric, startWorkerStack, type WorkerStack } from './worker-stack.ts';

const limits = mysqlLimits(500);
/** Far beyond every limit: a read that waits for ever fails here and not with the whole file. */
const TEST_MS = 240_000;

let stack: WorkerStack;
before(async () => {
  stack = await startWorkerStack({ own: true });
});
after(() => stack?.stop());

const frozen = async (work: () => Promise<void>) => {
  await freeze(stack.servers.mysql.pid);
  try {
    await work();
  } finally {
    stack.servers.mysql.kill('SIGCONT');
  }
};

describe('a frozen database', () => {
  let pool: MysqlPool;
  before(() => {
    pool = createMysqlPool(stack.servers.mysql.url, { max: 2, limits });
  });
  after(() => pool?.end());

  const reads = {
    'rows of the outbox': () => mysqlOutbox(pool).read(10),
    'the state of the outbox': () => mysqlOutbox(pool).stats(),
    'entries of a room': () => mysqlEntries(pool).range(newId(), 1, 2),
    'deliveries that are due': () => mysqlQueue(pool, 'w').due(10),
    'the claim of an endpoint': () => mysqlQueue(pool, 'w').claim(newId()),
    'the pruning of deliveries': () => mysqlQueue(pool, 'w').prune(),
    'webhooks that want an event': () => mysqlDeliveryIntake(pool).webhooks(),
  };
  for (const [what, read] of Object.entries(reads)) {
    test(`${what}: an error in time, and again what is there`, { timeout: TEST_MS }, async () => {
      await read();
      await frozen(async () => {
        // More than there are connections: those that wait for one end, too.
        const outcomes = await Promise.allSettled([read(), read(), read(), read()]);
        for (const outcome of outcomes)
          assert.ok(outcome.status === 'rejected' && isPassing(outcome.reason), String(Object.values(outcome)[1]));
      });
      await eventually('it works again', () =>
        read().then(
          () => true,
          () => false,
        ),
      );
    });
  }

  test('the wait for the lock ends with an error, and the lock can be had afterwards', { timeout: TEST_MS }, async () => {
    const { url } = stack.servers.mysql;
    const first = await mysqlLock(url, limits).acquire(new AbortController().signal);
    assert.ok(first);
    const watcher = await connectMysql(url);
    const waits = async () => {
      const [rows] = await watcher.query("SELECT 1 FROM information_schema.processlist WHERE state = 'User lock'");
      return (rows as unknown[]).length > 0;
    };
    const second = mysqlLock(url, limits).acquire(new AbortController().signal);
    const outcome = second.then(() => undefined, isPassing);
    await eventually('the second one waits for the lock', waits);
    await frozen(async () => assert.equal(await outcome, true));
    await watcher.end();
    await first.release();
    const third = await eventually('the lock is free', () => mysqlLock(url, limits).acquire(new AbortController().signal));
    await third.release();
  });
});

test('a worker whose database was frozen and then killed relays again when it is back', { timeout: TEST_MS }, async (context) => {
  const worker = await stack.worker('frozen', { DATABASE_TIMEOUT_MS: '500' });
  context.after(() => worker.close());
  const room = newId();
  await stack.append(room, 1, 'before');
  await eventually('the topic is there, and the first message in it', async () => (await stack.waiting()) === 0);
  const { heard, stop } = await listen(stack, ['chat.messages']);
  context.after(stop);
  const content = () =>
    heard.filter(({ key }) => key === room).map(({ value }) => (JSON.parse(value) as { data: { content: string } }).data.content);
  await eventually('the first message is in Kafka', () => content().includes('before'));
  const ready = async () => (await fetch(`http://127.0.0.1:${worker.adminPort}/readyz`)).status === 200;
  await freeze(stack.servers.mysql.pid);
  await eventually('the worker is not ready', async () => !(await ready()));
  await eventually(
    'it does not call itself the relay any more',
    async () => (await metric(worker.adminPort, /outbox_relay_active\{[^}]*database="chat"[^}]*\} (\d)/)) === 0,
  );
  stack.servers.mysql.kill('SIGKILL');
  await stack.servers.mysql.exited;
  await stack.servers.start('mysql');
  await eventually('the worker is ready again', ready);
  await eventually('the database takes the next message', () =>
    stack.append(room, 1, 'after').then(
      () => true,
      () => false,
    ),
  );
  await eventually('the next message is in Kafka', () => content().includes('after'));
});
