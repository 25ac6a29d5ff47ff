// A new version under people who chat, and one that does not exist: what they notice, and what the ChatCluster says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ResumingClient } from '../helpers/resuming-client.ts';
import { clusterReady, directRoom, eventually, forward, kind, kubectl, onEveryNode, user, type Forward } from './kind.ts';

const SERVICES = 'docker.io/parley/services';
const FROM = '0.1.0';
const TO = '0.1.1';
const MISSING = '0.0.9';
const SOCKETS = 10;
const ROLLOUT_MS = 600_000;

interface Status {
  version?: string;
  readyReplicas?: number;
  connections?: { total: number; perReplica: { name: string; connections: number; draining: boolean }[] };
  conditions?: { type: string; status: string; reason: string; message: string }[];
}

describe('a new version on kind', { concurrency: false }, () => {
  let entry: Forward;
  let gateway: Forward;
  let people: { id: number; token: string }[];
  let room: string;
  const cluster = `chatcluster/${kind.chatCluster}`;
  const status = async () => JSON.parse(await kubectl('get', cluster, '-o', 'jsonpath={.status}')) as Status;
  const condition = async (type: string) => (await status()).conditions?.find((each) => each.type === type);
  const patch = (spec: object) => kubectl('patch', cluster, '--type=merge', '-p', JSON.stringify({ spec }));
  const images = async () =>
    (
      await kubectl(
        'get',
        'pods',
        '-l',
        'app.kubernetes.io/component in (chat,core,auth,gateway,worker)',
        '-o',
        'jsonpath={.items[*].spec.containers[0].image}',
      )
    ).split(' ');

  before(async () => {
    await clusterReady();
    entry = await forward(`service/${kind.chatCluster}-haproxy`, 8085);
    gateway = await forward(`service/${kind.chatCluster}-haproxy`, 8080);
    const url = `http://127.0.0.1:${gateway.port}`;
    people = [await user(url, 'ada'), await user(url, 'grace')];
    room = await directRoom(`http://127.0.0.1:${entry.port}`, people[0]?.token ?? '', people[1]?.id ?? 0);
    // The same image by another name is another version to everybody but its own code.
    const ctr = 'ctr --namespace k8s.io images';
    await onEveryNode(
      'sh',
      '-c',
      `! ${ctr} ls -q | grep -qx ${SERVICES}:${FROM} || ${ctr} tag --force ${SERVICES}:${FROM} ${SERVICES}:${TO}`,
    );
  });
  after(() => {
    entry?.stop();
    gateway?.stop();
  });

  test(
    'a version that does not exist moves nothing, and the status says which image cannot be pulled',
    { timeout: ROLLOUT_MS },
    async () => {
      await patch({ version: MISSING });
      const { message } = await eventually('the cause', async () => {
        const found = await condition('Ready');
        return found?.status === 'False' && /ErrImagePull|ImagePullBackOff/.test(found.message) && found;
      });
      assert.match(message, new RegExp(`migration to version ${MISSING}.*check spec\\.version and spec\\.images`, 's'));
      assert.deepEqual(new Set(await images()), new Set([`${SERVICES}:${FROM}`]));
      assert.equal((await condition('Available'))?.status, 'True', 'the services of the old version go on');
      await patch({ version: FROM });
      await clusterReady();
    },
  );

  test(
    'every replica is replaced under people who send: each socket is asked to reconnect, nothing is lost, doubled or out of order',
    { timeout: ROLLOUT_MS },
    async (context) => {
      const url = `ws://127.0.0.1:${entry.port}/api/ws`;
      const clients = await Promise.all(
        Array.from({ length: SOCKETS }, (_, index) =>
          ResumingClient.start(context, { urls: [url], first: 0, room, token: people[index % 2]?.token ?? '', name: `u${index}` }),
        ),
      );
      // Those of the canary are among them; those of the test before may be told of for some seconds yet.
      await eventually('the sockets in the status', async () => ((await status()).connections?.total ?? 0) >= SOCKETS);
      let rolling = true;
      const sending = clients.map(async (client) => {
        while (rolling) await client.sendMany(5, 2000);
      });
      const told = new Set<string>();
      await patch({ version: TO });
      await eventually(
        'every replica runs the new version',
        async () => {
          const { version, conditions = [], connections } = await status();
          for (const { name, draining } of connections?.perReplica ?? []) if (draining) told.add(name);
          const ready = conditions.find(({ type }) => type === 'Ready');
          return version === TO && ready?.status === 'True' && (await images()).every((image) => image === `${SERVICES}:${TO}`);
        },
        ROLLOUT_MS,
      );
      rolling = false;
      await Promise.all(sending);
      const head = Math.max(...clients.flatMap((client) => [...client.acks.values()]));
      await Promise.all(clients.map((client) => client.reached(head)));

      for (const client of clients) {
        assert.equal(client.abrupt, 0, 'a socket ended without being asked to reconnect');
        assert.deepEqual(
          client.seen.slice(0, head).map(({ seq }) => seq),
          Array.from({ length: head }, (_, index) => index + 1),
        );
        for (const [id, seq] of client.acks) assert.equal(client.seen[seq - 1]?.content, `text of ${id}`);
      }
      const sent = clients.reduce((sum, client) => sum + client.acks.size, 0);
      assert.equal(new Set(clients[0]?.seen.map(({ content }) => content)).size, clients[0]?.seen.length, 'nothing is there twice');
      assert.ok(sent >= SOCKETS * 10, `${sent} messages were sent meanwhile`);
      assert.ok(told.size > 0, 'the status told of replicas that drain');
      const events = await kubectl(
        'get',
        'events',
        '--field-selector',
        'reason=ReplicaReplaced',
        '-o',
        'jsonpath={.items[*].note}{.items[*].message}',
      );
      for (const ordinal of [0, 1, 2]) assert.match(events, new RegExp(`${kind.chatCluster}-chat-${ordinal} is told to go`));
    },
  );
});
