// Chat on three Redis servers with Sentinels: a failover costs no message, and the replicas find the next primary by themselves.
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { waitUntil } from '../../../kind/servers/src/processes/probe.ts';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { RedisTrio } from '../../helpers/redis-trio.ts';
import { ResumingClient } from '../../helpers/resuming-client.ts';
import type { WsClient } from '../../helpers/ws-client.ts';

const USERS = Array.from({ length: 10 }, (_, index) => index + 1);
const WATCHERS = [101, 102] as const;

describe('chat with Sentinels', () => {
  let trio: RedisTrio;
  let cluster: ChatCluster;
  before(async () => {
    trio = await RedisTrio.start();
    cluster = await startChatCluster(2, { REDIS_URL: trio.url });
  });
  after(async () => {
    await cluster?.stop();
    await trio?.stop();
  });

  /** Signs of typing go by Redis alone: what is lost of them no replica reads again from the database. */
  async function fansOut(from: WsClient, to: WsClient, room: string): Promise<void> {
    const seen = to.frames.length;
    const check = () => {
      from.send({ type: 'typing', room_id: room, is_typing: true });
      return Promise.resolve(to.frames.slice(seen).some((frame) => frame.type === 'typing'));
    };
    await waitUntil(check, { what: 'a sign of typing on the other replica', withinMs: 30_000, signal: undefined });
  }

  /** Where both replicas publish to, as they tell the operator. */
  const published = async ({ adminUrl }: Replica): Promise<string | undefined> =>
    ((await (await fetch(`${adminUrl}/connections`)).json()) as { redis?: string }).redis;

  const others = (old: number) => [0, 1, 2].filter((index) => index !== old);

  /** Ten people send through both replicas as long as `fault` lasts, which is given the primary of the time before. */
  async function underFault(context: TestContext, fault: (old: number) => Promise<void>): Promise<void> {
    const room = await cluster.room([...USERS, ...WATCHERS]);
    const urls = cluster.replicas.map(({ url }) => url);
    const [first, second] = cluster.replicas as [Replica, Replica];
    const [alice, bob] = [await cluster.login(first, WATCHERS[0]), await cluster.login(second, WATCHERS[1])];
    await Promise.all([alice.join(room), bob.join(room)]);
    await fansOut(alice, bob, room);
    const old = await trio.newPrimary(undefined);
    const clients = await Promise.all(
      USERS.map(async (user) =>
        ResumingClient.start(context, { urls, first: user, room, token: await cluster.issuer.token(user), name: `u${user}` }),
      ),
    );
    let over = false;
    const sending = Promise.all(
      clients.map(async (client) => {
        do await client.sendMany(10, 100);
        while (!over);
        await client.sendMany(5, 10);
      }),
    );
    await clients[0]?.acked(5);
    await fault(old).finally(() => (over = true));
    await sending;
    const rows = await cluster.rows(room);
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      rows.map((_, index) => index + 1),
    );
    const byId = new Map(rows.map((row) => [row.client_msg_id, row.seq]));
    assert.equal(byId.size, rows.length, 'nothing is stored twice');
    await Promise.all(clients.map((client) => client.reached(rows.length)));
    for (const client of clients) {
      for (const [id, seq] of client.acks) assert.equal(byId.get(id), seq, `${id} was acked`);
      assert.deepEqual(
        client.seen.map(({ content }) => content),
        rows.map(({ content }) => content),
      );
    }
    await fansOut(alice, bob, room);
    await fansOut(bob, alice, room);
  }

  test('kill -9 of the primary, Redis and Sentinel: no acked message is lost, and fan-out goes by the next one', async (context) => {
    let killed = -1;
    await underFault(context, async (old) => {
      killed = old;
      await trio.kill(old);
      await trio.newPrimary(old, others(old));
    });
    // A connection may be on its way to the next primary again: each Sentinel that tells of it closes the one that there was.
    for (const replica of cluster.replicas)
      await waitUntil(async () => /127\.0\.0\.1$/.test((await published(replica)) ?? ''), {
        ...{ what: 'the address it publishes to', withinMs: 60_000, signal: undefined },
      });
    await trio.startPod(killed);
    await trio.allReady();
  });

  test('a primary that stops answering, and is never closed: the connections leave it all the same', async (context) => {
    let frozen = -1;
    await underFault(context, async (old) => {
      frozen = old;
      trio.pause(old, 'redis');
      await trio.newPrimary(old, others(old));
    });
    trio.resume(frozen, 'redis');
    const follows = async () => (await trio.cli(frozen, 'redis', 'role')).startsWith('slave');
    await waitUntil(follows, { what: 'the old primary to become a replica', withinMs: 60_000, signal: undefined });
    await trio.allReady();
  });

  test('a rolling update of all three: nobody notices', async (context) => {
    await underFault(context, async () => {
      // As the StatefulSet goes: from the last to the first, each when the one before is ready.
      for (const index of [2, 1, 0]) {
        const next = await trio.endPod(index);
        assert.ok(next !== undefined && next !== index, 'a primary hands over before it ends');
        await trio.startPod(index);
        await trio.allReady();
      }
    });
  });

  test('Sentinels that were away left nothing in the logs that is not a line of ours', () => {
    for (const replica of cluster.replicas) assert.doesNotMatch(replica.output(), /\[ioredis\]/);
  });
});
