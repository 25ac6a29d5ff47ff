// What users of other chat systems suffer from most, one test each: the names are the pains, the tests show that they do not hurt here.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { announceRevocation } from '@parley/kit/tokens';
import { roomChannel } from '@parley/live';
import { toBinary } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { quiet, startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import type { WsClient } from '../../helpers/ws-client.ts';

const seqs = (client: WsClient, room: string) => client.messages(room).map((frame) => Number(frame['seq']));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('the thirteen pains', () => {
  let cluster: ChatCluster;
  let redis: RedisClient;
  let one: Replica;
  let two: Replica;
  before(async () => {
    cluster = await startChatCluster(2);
    [one, two] = cluster.replicas as [Replica, Replica];
    redis = createRedis(cluster.servers.redis.url, 'test', quiet);
    await once(redis, 'ready');
  });
  after(async () => {
    redis.disconnect();
    await cluster.stop();
  });

  const selects = async () => {
    const [rows] = await cluster.pool.query<RowDataPacket[]>(`SHOW GLOBAL STATUS LIKE 'Com_select'`);
    return Number(rows[0]?.['Value']);
  };

  test('1 messages missed around a reconnect', async () => {
    const room = await cluster.room([1, 2]);
    const alice = await cluster.login(one, 1);
    let bob = await cluster.login(two, 2);
    await bob.join(room, 0);
    const seen: number[] = [];
    const sending = (async () => {
      for (let index = 1; index <= 200; index++) await alice.say(room, `n${index}`, `n${index}`);
    })();
    for (let reconnect = 0; reconnect < 5; reconnect++) {
      await bob.until(() => bob.messages(room).length >= 10 || undefined);
      bob.socket.terminate();
      seen.push(...seqs(bob, room));
      bob = await cluster.login(reconnect % 2 ? one : two, 2);
      await bob.join(room, seen.at(-1) ?? 0);
    }
    await sending;
    await bob.until(() => (seqs(bob, room).at(-1) === 200 ? true : undefined));
    assert.deepEqual([...seen, ...seqs(bob, room)], upTo(200));
  });

  test('2 recovery works only on the same node', async () => {
    const room = await cluster.room([1, 2]);
    const doomed = await cluster.startReplica('chat-doomed');
    const bob = await cluster.login(doomed, 2);
    await bob.join(room, 0);
    const alice = await cluster.login(one, 1);
    for (let index = 1; index <= 10; index++) await alice.say(room, `n${index}`, `r${index}`);
    await bob.until(() => (seqs(bob, room).length >= 10 ? true : undefined));
    await doomed.kill('SIGKILL');
    for (let index = 11; index <= 30; index++) await alice.say(room, `n${index}`, `r${index}`);
    const back = await cluster.login(two, 2);
    const joined = await back.join(room, 10);
    assert.equal(joined['recovered'], true);
    assert.deepEqual(seqs(back, room), upTo(30).slice(10));
  });

  test('3 a node owns the room, so losing the node breaks the room', async () => {
    const room = await cluster.room([1, 2, 3]);
    const first = await cluster.startReplica('chat-first');
    const owner = await cluster.login(first, 1);
    await owner.join(room);
    await owner.say(room, 'from the first replica', 'o1');
    const [bob, carol] = [await cluster.login(one, 2), await cluster.login(two, 3)];
    await bob.join(room);
    await carol.join(room);
    await first.kill('SIGKILL');
    assert.deepEqual((await bob.say(room, 'at once', 'o2'))['seq'], 2);
    await carol.until(() => (seqs(carol, room).includes(2) ? true : undefined));
  });

  test('4 reconnect storms after a deploy', async () => {
    const rooms = await Promise.all(Array.from({ length: 10 }, () => cluster.room(Array.from({ length: 30 }, (_, index) => 500 + index))));
    const doomed = await cluster.startReplica('chat-storm');
    const clients = await Promise.all(Array.from({ length: 300 }, (_, index) => cluster.login(doomed, 500 + (index % 30))));
    await Promise.all(clients.map((client, index) => client.join(rooms[Math.floor(index / 30)] as string, 0)));
    const writer = await cluster.login(one, 500);
    for (const room of rooms) for (let index = 0; index < 5; index++) await writer.say(room, `n${index}`, `s${room}-${index}`);
    const before = await selects();
    await doomed.kill('SIGKILL');
    const back = await Promise.all(clients.map((_, index) => cluster.login(two, 500 + (index % 30))));
    await Promise.all(back.map((client, index) => client.join(rooms[Math.floor(index / 30)] as string, 0)));
    back.forEach((client, index) => assert.deepEqual(seqs(client, rooms[Math.floor(index / 30)] as string), upTo(5)));
    // Memberships and older entries in shared reads, presence once a room: far from one read for each socket.
    const reads = (await selects()) - before;
    assert.ok(reads < 150, `${reads} reads for 300 sockets in 10 rooms`);
  });

  test('5 a Redis restart loses messages, sometimes silently', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, bob] = [await cluster.login(one, 1), await cluster.login(two, 2)];
    await bob.join(room, 0);
    for (let index = 1; index <= 60; index++) {
      await alice.say(room, `n${index}`, `x${index}`);
      if (index === 20) cluster.servers.redis.kill('SIGKILL');
      if (index === 40) await cluster.servers.start('redis');
    }
    await bob.until(() => (seqs(bob, room).length >= 60 ? true : undefined));
    assert.deepEqual(seqs(bob, room), upTo(60));
    redis.disconnect();
    redis = createRedis(cluster.servers.redis.url, 'test', quiet);
    await once(redis, 'ready');
  });

  test('6 wrong order, caused by clocks', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, bob] = [await cluster.login(one, 1), await cluster.login(two, 2)];
    await bob.join(room, 0);
    await alice.say(room, 'now', 't1');
    // A replica with a clock one hour ahead has written last.
    await cluster.pool.query(`UPDATE rooms SET last_message_at = last_message_at + INTERVAL 1 HOUR WHERE id = ?`, [toBinary(room)]);
    await alice.say(room, 'later', 't2');
    await bob.say(room, 'latest', 't3');
    await bob.until(() => (seqs(bob, room).length === 3 ? true : undefined));
    const frames = bob.messages(room);
    assert.deepEqual(
      frames.map((frame) => frame['content']),
      ['now', 'later', 'latest'],
    );
    const times = frames.map((frame) => Date.parse(String(frame['created_at'])));
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
  });

  test('7 duplicate sends on bad networks', async () => {
    const room = await cluster.room([1, 2]);
    const bob = await cluster.login(two, 2);
    await bob.join(room, 0);
    let seq: unknown;
    for (let attempt = 0; attempt < 6; attempt++) {
      // The socket dies before the answer is seen; the client sends again on another replica.
      const alice = await cluster.login(attempt % 2 ? two : one, 1);
      const ack = await alice.say(room, 'once', 'same-id');
      seq ??= ack['seq'];
      assert.deepEqual([ack['type'], ack['seq'], ack['duplicate']], ['ack', seq, attempt > 0]);
      alice.socket.terminate();
    }
    assert.equal((await cluster.rows(room)).length, 1);
    await bob.say(room, 'end', 'end');
    assert.deepEqual(seqs(bob, room), [1, 2]);
  });

  test('8 presence is wrong or eats the cluster', async () => {
    const room = await cluster.room([41, 42]);
    const watcher = await cluster.login(one, 41);
    await watcher.join(room);
    for (let flap = 0; flap < 10; flap++) await (await cluster.login(flap % 2 ? one : two, 42)).close();
    const online = () => watcher.frames.filter((frame) => frame['user_id'] === 42 && /^user_/.test(frame.type)).map((frame) => frame.type);
    await watcher.until(() => (online().at(-1) === 'user_offline' ? true : undefined));
    assert.deepEqual(online(), ['user_online', 'user_offline'], 'ten reconnects within the grace are no news');
  });

  test('9 cluster fan-out wastes CPU', async () => {
    const room = await cluster.room([1]);
    const alice = await cluster.login(one, 1);
    await alice.join(room);
    const subscribers = async () => Number((await redis.pubsub('NUMSUB', roomChannel(room)))[1]);
    assert.equal(await subscribers(), 1, 'only the replica that serves the room listens');
    const elsewhere = await cluster.login(two, 1);
    await elsewhere.join(room);
    assert.equal(await subscribers(), 2);
  });

  test('10 tokens outlive their authority on open sockets', async () => {
    const client = await cluster.login(two, 77);
    const now = Date.now();
    await announceRevocation(redis, { kind: 'user', id: '77', before_ms: now + 1000, until_ms: now + 60_000, final: false }, now);
    assert.equal((await client.waitClosed()).code, 4401);
  });

  test('11 slow consumers and memory growth', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, stalled] = [await cluster.login(one, 1), await cluster.login(one, 2)];
    await stalled.join(room);
    (stalled.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    const text = 'x'.repeat(8000);
    for (let sent = 0; sent < 1500; sent += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => alice.say(room, text, `big${sent + index}`)));
    }
    const gone = async () =>
      (await (await fetch(`${one.adminUrl}/metrics`)).text()).match(/websocket_closed_total\{code="(1006|4408)"/) ? true : undefined;
    for (let attempt = 0; !(await gone()); attempt++) {
      assert.ok(attempt < 200, 'a socket that does not read is let go');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  test('12 Kubernetes friction: sticky sessions and cut connections', async () => {
    const room = await cluster.room([1]);
    const rolled = await cluster.startReplica('chat-rolled');
    const client = await cluster.login(rolled, 1);
    await client.join(room, 0);
    await client.say(room, 'before the roll', 'k1');
    const exited = rolled.kill('SIGTERM');
    await client.next((frame) => frame.type === 'reconnect');
    // Any replica will do: nothing of a session is kept on one of them.
    const answer = await fetch(`${two.http}/api/health`);
    assert.equal(answer.headers.get('set-cookie'), null);
    const back = await cluster.login(two, 1);
    await back.join(room, 0);
    assert.deepEqual(seqs(back, room), [1]);
    assert.equal((await client.waitClosed()).code, 1012);
    await exited;
  });

  test('13 the pieces needed in production are behind a licence', () => {
    const root = new URL('../../../', import.meta.url);
    const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { license: string };
    assert.equal(manifest.license, 'Apache-2.0');
    assert.match(readFileSync(new URL('LICENSE', root), 'utf8'), /Apache License/);
    const configuration = readFileSync(new URL('services/chat/src/config.ts', root), 'utf8');
    assert.doesNotMatch(configuration, /licen[cs]e|edition|enterprise/i, 'nothing is switched on by a key');
  });
});
