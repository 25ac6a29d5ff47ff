// A database that does not answer and does not hang up: its process is frozen, or its node is gone and nobody says so. What reads from it
// ends in time with an error, and works again when the database does, without a restart of the replica.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freeze } from '../../helpers/freeze.ts';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.ts';
import type { WsClient } from '../../helpers/ws-client.ts';

/** A production replica waits seven seconds for a statement. */
const SHORT = { DATABASE_TIMEOUT_MS: '500' };
const PATIENCE_MS = 120_000;

const ready = async (replica: Replica) => (await fetch(`${replica.adminUrl}/readyz`)).status === 200;

/** The answers to a join of each client: `joined` or the code of the error. */
function joinAll(clients: readonly WsClient[], room: string): Promise<string[]> {
  return Promise.all(
    clients.map(async (client) => {
      const seen = client.frames.length;
      client.send({ type: 'join_room', room_id: room });
      const answer = await client.until(
        () => client.frames.slice(seen).find((frame) => ['joined', 'error'].includes(frame.type) && frame['room_id'] === room),
        PATIENCE_MS,
      );
      return answer.type === 'error' ? (answer['code'] as string) : answer.type;
    }),
  );
}

describe('a frozen database', () => {
  let cluster: ChatCluster;
  let replica: Replica;
  const users = Array.from({ length: 8 }, (_, index) => index + 1);
  before(async () => {
    cluster = await startChatCluster(1, SHORT, { own: true });
    [replica] = cluster.replicas as [Replica];
  });
  after(() => cluster?.stop());

  test('joins are answered, the replica is not ready, and both are right again when it goes on', async () => {
    const room = await cluster.room(users);
    const clients = await Promise.all(users.map((user) => cluster.login(replica, user)));
    const { mysql } = cluster.servers;
    await freeze(mysql.pid);
    try {
      // One after the other: the first two occupy the reads, what comes then waits behind them.
      for (let wave = 0; wave < 3; wave++) {
        const answers = await joinAll(clients, room);
        assert.deepEqual(new Set(answers), new Set(['unavailable']));
      }
      await eventually('the replica says that it is not ready', async () => !(await ready(replica)));
    } finally {
      mysql.kill('SIGCONT');
    }
    await eventually('the replica is ready again', () => ready(replica));
    assert.deepEqual(new Set(await joinAll(clients, room)), new Set(['joined']));
  });

  test('heads are compared again after the server was killed while it was frozen and started anew', async () => {
    const room = await cluster.room([1, 2]);
    const [alice, bob] = [await cluster.login(replica, 1), await cluster.login(replica, 2)];
    await Promise.all([alice.join(room), bob.join(room)]);
    const failures = () => replica.output().split('cannot compare heads').length;
    const before = failures();
    await freeze(cluster.servers.mysql.pid);
    try {
      await eventually('a comparison has ended with an error, and the next one too', () => failures() >= before + 2);
    } finally {
      cluster.servers.mysql.kill('SIGKILL');
    }
    await cluster.servers.mysql.exited;
    await cluster.servers.start('mysql');
    await eventually('messages are stored again', async () => (await alice.say(room, 'after', 'after')).type === 'ack');
    await eventually('the replica is ready again', () => ready(replica));
    await bob.next((frame) => frame.type === 'message' && frame['content'] === 'after', PATIENCE_MS);
  });
});

describe('a database whose node went away without a word', () => {
  let cluster: ChatCluster;
  let proxy: TcpProxy;
  before(async () => {
    cluster = await startChatCluster(1, {}, { own: true });
    proxy = await startTcpProxy(new URL(cluster.servers.mysql.url));
  });
  after(async () => {
    await cluster?.stop();
    await proxy?.close();
  });

  test('readers leave the dead connections: who was told nothing by Redis gets the message from the new ones', async () => {
    const url = new URL(cluster.servers.mysql.url);
    url.port = String(proxy.port);
    const [near] = cluster.replicas as [Replica];
    const far = await cluster.startReplica('chat-far', { DATABASE_URL: url.toString(), ...SHORT });
    const room = await cluster.room([1, 2]);
    const [alice, bob] = [await cluster.login(near, 1), await cluster.login(far, 2)];
    await Promise.all([alice.join(room), bob.join(room)]);
    // The last read of the join: none is under way when the silence begins, so the next one takes a dead connection.
    await bob.next((frame) => frame.type === 'room_presence', PATIENCE_MS);
    cluster.servers.redis.kill('SIGKILL');
    await cluster.servers.redis.exited;
    proxy.silence();
    assert.equal((await alice.say(room, 'behind the silence', 's1')).type, 'ack');
    await bob.next((frame) => frame.type === 'message' && frame['content'] === 'behind the silence', PATIENCE_MS);
    await eventually('the replica is ready', () => ready(far));
  });
});
