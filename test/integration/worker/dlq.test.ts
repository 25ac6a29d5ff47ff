// The command for dead letters: lists, replays once and only for the group that failed, passes over what cannot be replayed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Registry } from 'prom-client';
import { startGroup } from '../../../services/worker/src/consumers/supervisor.ts';
import { parseDlqArguments, runDlq } from '../../../services/worker/src/dlq/command.ts';
import { kafkaClient } from '../../../services/worker/src/kafka/client.ts';
import { kafkaSink } from '../../../services/worker/src/kafka/sink.ts';
import { workerMetrics } from '../../../services/worker/src/metrics.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { log } from './worker-stack.ts';

let servers: Servers<'kafka'>;
before(async () => {
  servers = await startServers(['kafka']);
});
after(() => servers?.stop());

const newSink = () => kafkaSink({ brokers: [servers.kafka.url], clientId: 'test', onTrouble: () => undefined });
async function dlq(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const sink = newSink();
  const kafka = kafkaClient({ brokers: [servers.kafka.url], clientId: 'dlq', onError: () => undefined, retries: 5 });
  await runDlq(parseDlqArguments(args) ?? assert.fail('help'), { kafka, sink, say: (line) => lines.push(line) });
  await sink.close();
  return lines;
}
const record = (id: number) => ({
  topic: 'users',
  key: String(id),
  headers: { trace: `t${id}` },
  value: JSON.stringify({
    specversion: '1.0',
    id: `event-${id}`,
    source: '/parley/auth',
    type: 'chat.user.registered',
    subject: String(id),
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    data: { user_id: id, name: 'Ann' },
  }),
});

test('wrong arguments are told of', () => {
  for (const [args, text] of [
    [[], /say list or replay/],
    [['drop', 'users'], /say list or replay/],
    [['list'], /name one topic/],
    [['list', 'a', 'b'], /name one topic/],
    [['list', 'unheard'], /unknown topic unheard; there are chat.messages/],
    [['list', 'users', '--max', '0'], /--max must be/],
    [['list', 'users', '--force'], /Unknown option/],
  ] as const)
    assert.throws(() => parseDlqArguments(args), text);
  assert.equal(parseDlqArguments(['--help']), undefined);
  assert.deepEqual(parseDlqArguments(['replay', 'users.dlq', '--max', '5']), { action: 'replay', topic: 'users', max: 5 });
});

test('a topic that is not there is told of', async () => {
  await assert.rejects(dlq('list', 'users'), /list of users.dlq: there is no topic users.dlq/);
});

test('what failed is listed and replayed once, for the group that failed; another group gets nothing twice', async () => {
  let broken = true;
  const heard = { failing: [] as string[], sound: [] as string[] };
  const start = (name: 'failing' | 'sound') =>
    startGroup({
      handler: {
        name,
        topics: ['users'],
        handle: (events) => {
          const ids = events.map(({ event }) => event.id);
          if (name === 'failing' && broken && ids.some((id) => id !== 'event-3')) throw new Error('not yet');
          heard[name].push(...ids);
          return Promise.resolve();
        },
      },
      brokers: [servers.kafka.url],
      clientId: name,
      metrics: workerMetrics(new Registry()),
      log,
    });
  const groups = [start('failing'), start('sound')];
  const sink = newSink();
  await sink.send([record(1), record(2), record(3)]);
  await sink.send([
    { topic: 'users.dlq', key: 'large', value: '{"omitted":true,"bytes":9000000}', headers: { reason: 'MESSAGE_TOO_LARGE' } },
  ]);
  await eventually('what can be handled is handled', () => heard.failing.includes('event-3') && heard.sound.length === 3);
  await eventually('two have failed', async () => (await dlq('list', 'users')).at(-1) === '3 dead letters');
  const listed = await dlq('list', 'users');
  assert.ok(
    listed.some((line) => /failing from users\/\d+@\d+ at 20.* key 1, \d+ bytes: failed: not yet$/.test(line)),
    listed.join('\n'),
  );
  assert.ok(
    listed.some((line) => /relay key large, 32 bytes: MESSAGE_TOO_LARGE$/.test(line)),
    listed.join('\n'),
  );

  broken = false;
  assert.equal((await dlq('replay', 'users', '--max', '1')).at(-1)?.includes('1 '), true);
  const rest = await dlq('replay', 'users');
  const told = rest.join('\n');
  await eventually('both are handled', () => new Set(heard.failing).size === 3);
  assert.deepEqual(await dlq('replay', 'users'), ['no dead letters'], told);
  assert.deepEqual(await dlq('list', 'users'), ['no dead letters']);
  assert.deepEqual([...heard.failing].sort(), ['event-1', 'event-2', 'event-3']);
  assert.deepEqual([...heard.sound].sort(), ['event-1', 'event-2', 'event-3']);
  for (const group of groups) await group.stop();
  await sink.close();
});
