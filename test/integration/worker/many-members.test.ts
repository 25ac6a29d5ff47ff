// Notifications of a batch that concerns thousands of members over several replicas of chat: Redis, which passes on messages with the same
// thread, is asked in bounded pieces, and the answer is the same as one by one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chatMigrations, connectMysql, createMysqlPool, mysqlMigrations, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { Resources } from '@parley/kit/run';
import { migrate } from '@parley/kit/sql';
import { PRESENCE_PODS } from '@parley/live';
import type { MessageCreated } from '@parley/protocol';
import { Registry } from 'prom-client';
import { redisPresence } from '../../../services/chat/src/presence/redis-store.ts';
import { workerMetrics } from '../../../services/worker/src/metrics.ts';
import { openNotifications } from '../../../services/worker/src/notifications/wiring.ts';
import { messageRecord } from '../../../services/worker/src/relay/records.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { log, startReceiver } from './worker-stack.ts';

const ROOMS = 12;
/** As many as a room may have whose members are told of. */
const MEMBERS = 200;
const REPLICAS = 8;
const SENDER = 1;
/** Users of one command, and what a script may do beside: as small as what other clients of Redis can wait for. */
const USERS_OF_A_COMMAND = 250;
const COMMANDS_OF_A_SCRIPT = 10;

let servers: Servers<'mysql' | 'redis'>;
let mysql: MysqlPool;
let redis: RedisClient;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
const open = new Resources(log);
before(async () => {
  servers = await startServers(['mysql', 'redis']);
  const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
  await migrate(mysqlMigrations(connection), chatMigrations(), log);
  await connection.end();
  mysql = createMysqlPool(servers.mysql.url, { max: 2 });
  redis = createRedis(servers.redis.url, 'test', log);
  await eventually('redis is there', () => redis.status === 'ready');
  receiver = await startReceiver();
});
after(async () => {
  await open.close();
  await receiver?.stop();
  redis?.disconnect();
  await mysql?.end();
  await servers?.stop();
});

/** The sender and 199 people who are in no other room. */
const membersOf = (room: number): number[] => [SENDER, ...Array.from({ length: MEMBERS - 1 }, (_, index) => 1000 * (room + 1) + index)];
/** Every second one has a socket; those of replica 0 are gone with it, and every tenth has a second socket on replica 1. */
const replicasOf = (userId: number): number[] =>
  userId % 2 === 0 ? [...new Set([(userId / 2) % REPLICAS, ...(userId % 10 === 0 ? [1] : [])])] : [];
const isOnline = (userId: number): boolean => replicasOf(userId).some((replica) => replica !== 0);

function messageIn(roomId: string): MessageCreated {
  const of = { kind: 'message', sender_id: SENDER, sender_name: 'Ann', content: 'hello', message_type: 'text', metadata: null } as const;
  const record = messageRecord({ ...of, id: newId(), room_id: roomId, seq: 1, created_at: new Date().toISOString() });
  return JSON.parse(record.value) as MessageCreated;
}

test('2,388 members over eight replicas: no command of Redis names more than 250 of them, no script loops over them', async () => {
  const rooms = Array.from({ length: ROOMS }, (_, index) => ({ id: newId(), members: membersOf(index) }));
  const rows = rooms.flatMap(({ id, members }) => members.map((userId) => [toBinary(id), userId, 'member', 'active', new Date()]));
  await mysql.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [rows]);
  const everybody = rooms.flatMap(({ members }) => members.slice(1));
  for (let replica = 0; replica < REPLICAS; replica++) {
    const store = redisPresence(redis, `chat-${replica}`);
    await store.beat();
    await store.add(new Map(everybody.filter((userId) => replicasOf(userId).includes(replica)).map((userId) => [userId, 'somebody'])));
  }
  // The lease of replica 0 has ended.
  assert.equal(await redis.zadd(PRESENCE_PODS, 1, 'chat-0'), 0, 'it has one');
  const handler = openNotifications(open, {
    mysql,
    config: { redisUrl: servers.redis.url, notificationsWebhookUrl: receiver.url },
    instance: 'test',
    metrics: workerMetrics(new Registry()),
    log,
  });
  await eventually('the worker has its Redis', async () => /worker-test/.test(String(await redis.client('LIST'))));

  const monitor = await redis.monitor();
  const seen: { args: string[]; byScript: boolean }[] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => seen.push({ args, byScript: source === 'lua' }));
  const events = rooms.map(({ id }) => ({ event: messageIn(id), text: '' }));
  await handler.handle(events, new AbortController().signal);
  await redis.echo('the end');
  await eventually('the monitor has all of it', () => seen.some(({ args }) => args[1] === 'the end'));
  monitor.disconnect();

  const told = new Map(
    receiver.taken.map(({ body }) => JSON.parse(body) as { room_id: string; user_ids: number[] }).map((each) => [each.room_id, each]),
  );
  for (const { id, members } of rooms) {
    const offline = members.slice(1).filter((userId) => !isOnline(userId));
    assert.deepEqual(told.get(id)?.user_ids, offline);
  }
  let ofThisScript = 0;
  for (const { args, byScript } of seen) {
    ofThisScript = byScript ? ofThisScript + 1 : 0;
    const users = args.filter((arg) => /^\d{4,5}$/.test(arg)).length;
    assert.ok(users <= USERS_OF_A_COMMAND, `${args[0]} names ${users} users`);
    assert.ok(ofThisScript <= COMMANDS_OF_A_SCRIPT, `a script runs more than ${COMMANDS_OF_A_SCRIPT} commands`);
  }
  assert.ok(seen.filter(({ args }) => args[0]?.toLowerCase() === 'hmget').length > 0, 'the lists were asked');
});
