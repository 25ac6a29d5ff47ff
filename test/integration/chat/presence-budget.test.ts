// A thousand real users who come and go in one room: what the room hears stays inside the budget, and what it costs is printed.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createRedis } from '@parley/kit/redis';
import { quiet, startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';

const USERS = 1000;
const ROUNDS = 2;
/** Events of one replica in any second (services/chat/src/presence/announcements.ts). */
const EVENTS_PER_SECOND = 200;
const TICKS_PER_SECOND = 100;

describe('the budget of presence', () => {
  let cluster: ChatCluster;
  before(async () => (cluster = await startChatCluster(2)));
  after(() => cluster.stop());

  test('1,000 users flapping in one room', async () => {
    const [one, two] = cluster.replicas as [Replica, Replica];
    const users = Array.from({ length: USERS }, (_, index) => 1000 + index);
    const room = await cluster.room([1, ...users]);
    const watcher = await cluster.login(one, 1);
    await watcher.join(room);
    const heard: { atMs: number; type: string }[] = [];
    watcher.socket.on('message', (data: Buffer) => {
      const { type } = JSON.parse(data.toString()) as { type: string };
      if (type === 'user_online' || type === 'user_offline' || type === 'room_presence') heard.push({ atMs: Date.now(), type });
    });
    const cpu = () => cpuSeconds(one.process.pid) + cpuSeconds(two.process.pid);
    const before = { cpu: cpu(), redis: await redisCpu(cluster), atMs: Date.now() };
    for (let round = 0; round < ROUNDS; round++) {
      const sockets = await Promise.all(users.map((user, index) => cluster.login(index % 2 ? one : two, user)));
      sockets.forEach((socket) => socket.socket.terminate());
      // Longer than the grace, so that all of them have gone for the room.
      const gone = Date.now() + 7000;
      await watcher.until(() => (Date.now() > gone ? true : undefined), 7000).catch(() => {});
    }
    const seconds = (Date.now() - before.atMs) / 1000;
    const events = heard.filter(({ type }) => type !== 'room_presence');
    const counts = heard.length - events.length;
    const busiest = Math.max(...events.map(({ atMs }) => events.filter((other) => other.atMs > atMs - 1000 && other.atMs <= atMs).length));
    console.log(
      `${USERS} users came and went ${ROUNDS} times in ${seconds.toFixed(1)} s: ${events.length} events (at most ${busiest} in a second) and ` +
        `${counts} counts to a joined socket; CPU of both replicas ${(cpu() - before.cpu).toFixed(2)} s with ${ROUNDS * USERS} connects, ` +
        `of Redis ${((await redisCpu(cluster)) - before.redis).toFixed(2)} s`,
    );
    // Two replicas, and what was sent a moment apart may arrive together.
    assert.ok(busiest <= 2 * EVENTS_PER_SECOND * 1.5, `${busiest} events in a second`);
    assert.ok(counts >= ROUNDS, `${counts} counts`);
    assert.ok(counts <= 2 * (seconds + 1), `${counts} counts in ${seconds} s`);
  });
});

function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function redisCpu({ servers }: ChatCluster): Promise<number> {
  const redis = createRedis(servers.redis.url, 'test', quiet);
  await once(redis, 'ready');
  const info = await redis.info('cpu');
  redis.disconnect();
  return Number(/used_cpu_sys:(\S+)/.exec(info)?.[1]) + Number(/used_cpu_user:(\S+)/.exec(info)?.[1]);
}
