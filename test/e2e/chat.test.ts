// What a user sees of a ChatCluster on kind: apply -> Ready -> two people chat through two replicas; pods die, replicas come and go.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { twoUsers } from '../../kind/cluster/src/report.ts';
import { startParley } from '../helpers/parley-program.ts';
import { ResumingClient } from '../helpers/resuming-client.ts';
import { threePeople } from '../helpers/three-people.ts';
import { WsClient } from '../helpers/ws-client.ts';
import {
  apiKey,
  clusterReady,
  directRoom,
  eventually,
  forward,
  kind,
  kubectl,
  kubectlWith,
  refusal,
  shell,
  user,
  type Forward,
} from './kind.ts';

const haproxy = `service/${kind.chatCluster}-haproxy`;

interface MessagePage {
  messages: { seq: number; content: string }[];
}

describe('a ChatCluster on kind', { concurrency: false }, () => {
  let entry: Forward;
  let gateway: Forward;
  let alice: { id: number; token: string };
  let bob: { id: number; token: string };
  let room: string;
  const http = () => `http://127.0.0.1:${entry.port}`;
  const ws = () => `ws://127.0.0.1:${entry.port}/api/ws`;
  const history = async (limit = 100): Promise<MessagePage> => {
    const response = await fetch(`${http()}/api/rooms/${room}/messages?limit=${limit}`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });
    assert.equal(response.status, 200);
    return (await response.json()) as MessagePage;
  };

  before(async () => {
    await clusterReady();
    entry = await forward(haproxy, 8085);
    gateway = await forward(haproxy, 8080);
    [alice, bob] = [await user(`http://127.0.0.1:${gateway.port}`, 'alice'), await user(`http://127.0.0.1:${gateway.port}`, 'bob')];
    room = await directRoom(http(), alice.token, bob.id);
  });
  after(() => {
    entry?.stop();
    gateway?.stop();
  });

  test('kubectl get prints Ready, Replicas and Version', async () => {
    const [header, row] = (await kubectl('get', 'chatclusters')).split('\n') as [string, string];
    assert.match(header, /^NAME +READY +REPLICAS +CONNECTIONS +VERSION +AGE/);
    assert.match(row, /^demo +True +3 +\d+ +0\.1\.0 /);
  });

  test('the lines that npm run kind prints make two users and a room', async () => {
    const answer = (await shell(twoUsers(kind, `http://127.0.0.1:${gateway.port}`))).split('\n').at(-1) ?? '';
    assert.match((JSON.parse(answer) as { id: string }).id, /^[0-9a-f-]{36}$/, answer);
  });

  test('two people on two replicas exchange messages, and history returns them newest first', async () => {
    const first = await WsClient.login(ws(), alice.token);
    let second = await WsClient.login(ws(), bob.token);
    const instanceOf = (client: WsClient) => client.frames.find((frame) => frame.type === 'welcome')?.['server'];
    // leastconn sends the next socket elsewhere; another one may have come between.
    for (let tries = 0; instanceOf(first) === instanceOf(second) && tries < 10; tries++) second = await WsClient.login(ws(), bob.token);
    assert.notEqual(instanceOf(first), instanceOf(second));
    await Promise.all([first.join(room), second.join(room)]);
    assert.equal((await first.say(room, 'hello', 'e2e-1'))['duplicate'], false);
    await second.next((frame) => frame.type === 'message' && frame['content'] === 'hello');
    await second.say(room, 'hello yourself', 'e2e-2');
    await first.next((frame) => frame.type === 'message' && frame['content'] === 'hello yourself');
    const { messages } = await history(50);
    assert.deepEqual(
      messages.slice(0, 2).map(({ content }) => content),
      ['hello yourself', 'hello'],
    );
    await Promise.all([first.close(), second.close()]);
  });

  test('Alice and Bob chat; Charlie reads nothing, joins nothing, and nothing of his is stored', async () => {
    await threePeople({ gateway: `http://127.0.0.1:${gateway.port}`, chat: http(), apiKey: await apiKey() });
  });

  test('health names several instances', async () => {
    const names = new Set<string>();
    for (let index = 0; index < 12; index++)
      names.add(((await (await fetch(`${http()}/api/health`)).json()) as { instance: string }).instance);
    assert.ok(names.size > 1, [...names].join());
  });

  test('a chat pod is deleted by force while people send: no acked message is lost, the clients resume', async (context) => {
    const clients = await Promise.all(
      [alice, bob].map((person, index) =>
        ResumingClient.start(context, { urls: [ws()], first: 0, room, token: person.token, name: `f${index}` }),
      ),
    );
    const sending = Promise.all(clients.map((client) => client.sendMany(40, 220)));
    await clients[0]?.acked(20);
    await kubectl('delete', 'pod', `${kind.chatCluster}-chat-0`, '--force', '--grace-period=0');
    await kubectl('delete', 'pod', `${kind.chatCluster}-chat-1`, '--force', '--grace-period=0');
    await sending;
    const head = (await history(1)).messages[0]?.seq ?? 0;
    await Promise.all(clients.map((client) => client.reached(head)));
    const [left, right] = clients;
    assert.deepEqual(left?.seen, right?.seen);
    for (const client of clients) for (const [id, seq] of client.acks) assert.equal(client.seen[seq - 1]?.content, `text of ${id}`);
    assert.deepEqual(
      left?.seen.map(({ seq }) => seq),
      Array.from({ length: head }, (_, index) => index + 1),
    );
    await clusterReady();
  });

  test('kubectl scale to 2 and back: sockets are told to reconnect, nothing is lost', async (context) => {
    const client = await ResumingClient.start(context, { urls: [ws()], first: 0, room, token: alice.token, name: 'scale' });
    const sending = client.sendMany(60, 220);
    await kubectl('scale', 'chatcluster/demo', '--replicas=2');
    await eventually(
      'two chat pods',
      async () => (await kubectl('get', 'pods', '-l', 'app.kubernetes.io/component=chat', '-o', 'name')).split('\n').length === 2,
      180_000,
    );
    await sending;
    await kubectl('scale', 'chatcluster/demo', '--replicas=3');
    await eventually(
      'three ready',
      async () => (await kubectl('get', 'chatcluster/demo', '-o', 'jsonpath={.status.readyReplicas}')) === '3',
      180_000,
    );
    await clusterReady();
    assert.equal(client.abrupt, 0);
    const head = (await history(1)).messages[0]?.seq ?? 0;
    await client.reached(head);
  });

  test('an invalid ChatCluster is refused with a message that says why', async () => {
    const cluster = (spec: object) => ({ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name: 'wrong' }, spec });
    assert.match((await refusal(cluster({ kafka: { brokers: 2 } }))) ?? 'accepted', /must be 1 or 3: each broker votes/);
    assert.match((await refusal(cluster({ redis: { mode: 'magic' } }))) ?? 'accepted', /supported values: "builtin", "external"/);
    assert.match((await refusal(cluster({ chat: { replicas: -1 } }))) ?? 'accepted', /greater than or equal to 0/);
    assert.equal(await refusal(cluster({})), undefined);
  });

  test('Prometheus scrapes chat, HAProxy and the operator', async () => {
    const prometheus = await forward(`service/${kind.chatCluster}-prometheus`, 9090);
    try {
      await eventually('all targets are up', async () => {
        const response = await fetch(`http://127.0.0.1:${prometheus.port}/api/v1/query?query=up`);
        const { data } = (await response.json()) as { data: { result: { metric: { job: string }; value: [number, string] }[] } };
        const up = new Set(data.result.filter(({ value }) => value[1] === '1').map(({ metric }) => metric.job));
        return ['chat', 'haproxy', 'operator'].every((job) => up.has(job));
      });
    } finally {
      prometheus.stop();
    }
  });

  test('an event of the message is in Kafka', async () => {
    // The canary's messages never end, so the consumer would not either: it ends with the first line that is looked for, or after silence.
    const event = await kubectl(
      'exec',
      `${kind.chatCluster}-kafka-0`,
      '--',
      'sh',
      '-c',
      '/opt/kafka/bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic chat.messages --from-beginning --timeout-ms 15000 2>/dev/null | grep -m 1 "hello yourself"',
    );
    assert.match(event, /"specversion":"1\.0"/);
  });

  test('an external database that nobody reaches is told within a minute with the next step, also by the doctor', async (context) => {
    const name = 'astray';
    const external = (scheme: string) => ({ mode: 'external', external: { urlSecretRef: { name: `${name}-urls`, key: scheme } } });
    const url = (scheme: string) => `${scheme}://parley:none@127.0.0.1/parley`;
    const secret = { stringData: { mysql: url('mysql'), postgres: url('postgres') } };
    const spec = { mysql: external('mysql'), postgres: external('postgres'), kafka: { mode: 'none' } };
    context.after(() => kubectl('delete', `chatcluster/${name}`, `secret/${name}-urls`, '--ignore-not-found'));
    const items = [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${name}-urls` }, ...secret },
      { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name }, spec },
    ];
    await kubectlWith(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const told = /is not reachable after 15 s: .*ECONNREFUSED.*read kubectl -n \S+ logs \S+ -c \S+ --previous/s;
    await eventually(
      'the cause',
      async () => told.test(await kubectl('get', `chatcluster/${name}`, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}')),
      60_000,
    );
    const { code, out } = await startParley(kind.kubeconfig, ['--namespace', kind.namespace, 'doctor', name]).done;
    assert.equal(code, 1);
    assert.match(out, told);
  });

  test('a deleted ChatCluster takes everything along but the volumes and the passwords of their data', async () => {
    const name = 'brief';
    const spec = {
      chat: { replicas: 1 },
      core: { replicas: 1 },
      gateway: { replicas: 1 },
      ingress: { replicas: 1 },
      kafka: { mode: 'none' },
    };
    await kubectlWith(
      ['create', '-f', '-'],
      JSON.stringify({ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name }, spec }),
    );
    const kinds = 'statefulsets,deployments,services,configmaps,jobs,networkpolicies,poddisruptionbudgets,pods';
    const left = () => kubectl('get', kinds, '-l', `app.kubernetes.io/instance=${name}`, '-o', 'name');
    await eventually('its servers exist', async () => (await left()).includes('statefulset'));
    await kubectl('delete', 'chatcluster', name, '--wait');
    await eventually('everything is gone', async () => (await left()) === '');
    const secrets = await kubectl('get', 'secrets', '-l', `app.kubernetes.io/instance=${name}`, '-o', 'name');
    assert.deepEqual(
      secrets.split('\n').sort(),
      ['canary', 'mysql', 'postgres', 'redis'].map((part) => `secret/${name}-${part}`),
    );
    await kubectl('delete', 'secrets,persistentvolumeclaims', '-l', `app.kubernetes.io/instance=${name}`);
  });
});
