// The look at the sockets of all replicas: what is remembered, what counts as settled, and a real answer over HTTP.
import assert from 'node:assert/strict';
import { PACES } from '../../../../operator/src/paces.ts';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Connections, PodConnections } from '../../../../operator/src/rollout/connections.ts';
import { podAnswer } from '../../../../operator/src/watch/pod-answer.ts';
import type { PodFacts } from '../../../../operator/src/watch/pods.ts';

const pod = (name: string, cluster = 'demo'): PodFacts => ({
  ...{ name, namespace: 'team', uid: `uid of ${name}`, cluster, component: 'chat', ip: name, revision: 'r1' },
  ...{ ready: true, terminating: false, problem: undefined },
});
const answer = (connections: number, draining = false): PodConnections => ({ connections, maxConnections: 100, draining });

function world(answers: Record<string, PodConnections | undefined>) {
  const told: string[] = [];
  let pods = Object.keys(answers).map((name) => pod(name));
  const connections = new Connections({
    everyMs: PACES.ask,
    pods: () => pods,
    read: async (ip) => answers[ip] ?? Promise.reject(new Error('no answer')),
    onChange: (key) => void told.push(key),
  });
  return { connections, told, answers, pods: (next: PodFacts[]) => (pods = next) };
}

test('numbers are remembered by pod; a change is told once, and once more that they stand still', async () => {
  const { connections, told, answers } = world({ a: answer(5), b: undefined });
  await connections.look();
  assert.deepEqual([connections.of('uid of a')?.connections, connections.of('uid of b')], [5, undefined]);
  assert.deepEqual(told.splice(0), ['team/demo']);
  await connections.look();
  assert.deepEqual(told.splice(0), ['team/demo'], 'a rebalance may begin now');
  await connections.look();
  assert.deepEqual(told.splice(0), []);
  answers['a'] = answer(6);
  answers['b'] = answer(1);
  await connections.look();
  assert.deepEqual(told.splice(0), ['team/demo']);
});

test('settled: the same replicas answered twice, and nearly as many sockets', async () => {
  const { connections, answers } = world({ a: answer(500), b: answer(500) });
  const settled = async () => {
    await connections.look();
    return connections.settled('team/demo');
  };
  assert.equal(connections.settled('team/demo'), false);
  assert.deepEqual([await settled(), await settled()], [false, true]);
  answers['b'] = answer(400, true);
  assert.equal(await settled(), false, 'one drains: other replicas than before');
  answers['b'] = undefined;
  assert.equal(await settled(), true, 'its sockets are not with the others yet, and nothing moves');
  answers['a'] = answer(900);
  assert.equal(await settled(), false);
  answers['a'] = answer(930);
  assert.equal(await settled(), true);
});

test('a cluster that is gone is forgotten', async () => {
  const { connections, pods } = world({ a: answer(5) });
  await connections.look();
  pods([]);
  await connections.look();
  assert.deepEqual([connections.of('uid of a'), connections.settled('team/demo')], [undefined, false]);
});

test('an answer is read over HTTP; nonsense, silence and nobody are errors', async () => {
  let text = JSON.stringify(answer(3));
  const server = createServer((request, response) => {
    if (text === 'silence') return;
    response.end(request.url === '/connections' ? text : '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const read = podAnswer(PodConnections, { port, path: '/connections' });
  assert.deepEqual(await read('127.0.0.1'), answer(3));
  for (const wrong of ['{', '{}', '{"connections":-1,"maxConnections":1,"draining":false}', 'x'.repeat(20_000), 'silence']) {
    text = wrong;
    await assert.rejects(read('127.0.0.1'), wrong.slice(0, 10));
  }
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  await assert.rejects(read('127.0.0.1'));
});
