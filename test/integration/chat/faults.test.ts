// Replicas, Redis and MySQL die under load: no acked message is lost, nothing is doubled or reordered.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { ResumingClient } from '../../helpers/resuming-client.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('faults', () => {
  let cluster: ChatCluster;
  let replicas: [Replica, Replica, Replica];
  beforeEach(async () => {
    cluster = await startChatCluster(3, {}, { own: true });
    replicas = cluster.replicas as typeof replicas;
  });
  afterEach(() => cluster.stop());

  test('kill -9 of a replica while 20 clients send: every acked message is there once, in one order, for all', async (context) => {
    const users = range(1, 20);
    const room = await cluster.room(users);
    const urls = replicas.map((replica) => replica.url);
    const clients = await Promise.all(
      users.map(async (user) =>
        ResumingClient.start(context, { urls, first: user, room, token: await cluster.issuer.token(user), name: `u${user}` }),
      ),
    );
    const each = 60;
    const sending = clients.map((client) => client.sendMany(each, 10));
    await clients[0]?.acked(10);
    await replicas[1].kill('SIGKILL');
    await Promise.all(sending);
    const rows = await cluster.rows(room);
    assert.deepEqual(
      rows.map((row) => row.seq),
      range(1, rows.length),
    );
    const byId = new Map(rows.map((row) => [row.client_msg_id, row]));
    assert.equal(byId.size, rows.length);
    assert.equal(rows.length, each * users.length);
    await Promise.all(clients.map((client) => client.reached(rows.length)));
    for (const client of clients) {
      for (const [id, seq] of client.acks) assert.equal(byId.get(id)?.seq, seq);
      assert.deepEqual(
        client.seen.map((entry) => [entry.seq, entry.content]),
        rows.map((row) => [row.seq, row.content]),
      );
    }
  });

  test('Redis dies: chat goes on, the other replicas catch up from the database', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, bob] = [await cluster.login(replicas[0], 1), await cluster.login(replicas[1], 2)];
    await Promise.all([alice.join(room), bob.join(room)]);
    cluster.servers.redis.kill('SIGKILL');
    await cluster.servers.redis.exited;
    assert.equal((await alice.say(room, 'while away', 'r1')).type, 'ack');
    await bob.next((frame) => frame.type === 'message' && frame['content'] === 'while away');
    const newcomer = await cluster.login(replicas[2], 2);
    assert.equal((await newcomer.join(room, 0))['seq'], 1);
    assert.equal((await fetch(`${replicas[0].adminUrl}/readyz`)).status, 200);
    await cluster.servers.start('redis');
    assert.equal((await alice.say(room, 'back', 'r2')).type, 'ack');
    await bob.next((frame) => frame.type === 'message' && frame['content'] === 'back');
    assert.deepEqual(
      bob.messages(room).map((frame) => frame['seq']),
      [1, 2],
    );
  });

  test('MySQL dies: no ack, a retryable error; after its return the same id is stored once', async () => {
    const room = await cluster.room([1]);
    const alice = await cluster.login(replicas[0], 1);
    await alice.join(room);
    assert.equal((await alice.say(room, 'before', 'd0')).type, 'ack');
    cluster.servers.mysql.kill('SIGKILL');
    await cluster.servers.mysql.exited;
    const refused = await alice.say(room, 'kept', 'd1');
    assert.deepEqual([refused.type, refused['code'], refused['retryable']], ['error', 'unavailable', true]);
    assert.equal(typeof refused['retry_after_ms'], 'number');
    const deadline = Date.now() + 15_000;
    while ((await fetch(`${replicas[0].adminUrl}/readyz`)).status !== 503 && Date.now() < deadline) await sleep(200);
    assert.equal((await fetch(`${replicas[0].adminUrl}/readyz`)).status, 503);
    await cluster.servers.start('mysql');
    let answer = await alice.say(room, 'kept', 'd1');
    while (answer.type === 'error' && Date.now() < deadline + 15_000) {
      await sleep(Number(answer['retry_after_ms'] ?? 200));
      answer = await alice.say(room, 'kept', 'd1');
    }
    assert.equal(answer.type, 'ack');
    assert.deepEqual(
      (await cluster.rows(room)).map((row) => row.content),
      ['before', 'kept'],
    );
  });

  test('SIGTERM: every socket gets reconnect before it is closed with 1012, and the process ends with 0', async () => {
    const room = await cluster.room(range(1, 10));
    const clients = await Promise.all(range(1, 10).map((user) => cluster.login(replicas[0], user)));
    await Promise.all(clients.map((client) => client.join(room)));
    await replicas[0].kill('SIGTERM');
    assert.equal(replicas[0].process.exitCode, 0);
    for (const client of clients) {
      assert.equal((await client.waitClosed()).code, 1012);
      assert.equal(client.frames.filter((frame) => frame.type === 'reconnect').length, 1);
    }
  });
});
