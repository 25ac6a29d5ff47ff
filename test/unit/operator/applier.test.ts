// When an object is written: what the API server adds or writes in another form is no change, anything else is and is repaired.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Applier, contains } from '../../../operator/src/kube/applier.ts';
import type { KubeObject, KubeTransport } from '../../../operator/src/kube/transport.ts';
import { MemoryKube } from '../../helpers/memory-kube.ts';

const SAME: [why: string, live: unknown, wanted: unknown][] = [
  ['defaults were added', { a: 1, added: true }, { a: 1 }],
  ['a quantity in another form', { cpu: '500m' }, { cpu: '0.5' }],
  ['a quantity in another unit', { memory: '1Gi' }, { memory: '1024Mi' }],
  ['an empty list left out', {}, { ingress: [] }],
  ['an empty text left out', { name: 'A' }, { name: 'A', value: '' }],
  ['an empty object left out', {}, { labels: {} }],
  ['an undefined field', {}, { a: undefined }],
];
const DIFFERENT: [why: string, live: unknown, wanted: unknown][] = [
  ['another value', { a: 1 }, { a: 2 }],
  ['a missing field', {}, { a: 1 }],
  ['another quantity', { cpu: '500m' }, { cpu: '600m' }],
  ['a longer list', { a: [1, 2] }, { a: [1] }],
  ['an emptied list', { a: [1] }, { a: [] }],
  ['another order', { args: ['a', 'b'] }, { args: ['b', 'a'] }],
  ['an emptied text', { a: 'x' }, { a: '' }],
  ['a text for a number', { a: '1x' }, { a: '1' }],
  ['a scalar for an object', { a: 'x' }, { a: { b: 1 } }],
];

for (const [why, live, wanted] of SAME) test(`unchanged: ${why}`, () => assert.ok(contains(live, wanted)));
for (const [why, live, wanted] of DIFFERENT) test(`changed: ${why}`, () => assert.ok(!contains(live, wanted)));

const CONFIG_MAP = '/api/v1/namespaces/team/configmaps/demo-haproxy';
const STATEFUL_SET = '/apis/apps/v1/namespaces/team/statefulsets/demo-chat';
const wanted: KubeObject[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'demo-haproxy', namespace: 'team', labels: { a: 'b' } }, data: { k: 'v' } },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'demo-chat', namespace: 'team' }, spec: { replicas: 3 } },
];

/** Two kinds, one with a generation and one without, on the twin; what is live is read from it. */
function applied() {
  const kube = new MemoryKube();
  const writes: string[] = [];
  let skips = 0;
  const live = new Map<string, KubeObject>();
  const transport: KubeTransport = {
    request: (method, path, options) => {
      if (method !== 'GET') writes.push(`${method} ${path}`);
      return kube.request(method, path, options);
    },
    stream: (path, query, signal) => kube.stream(path, query, signal),
  };
  const applier = () => new Applier({ transport, live: ({ metadata }) => live.get(metadata.name), onSkip: () => skips++ });
  /** What the watches would have brought by now. */
  const observe = async () => {
    for (const path of [CONFIG_MAP, STATEFUL_SET]) {
      const object = await kube.request('GET', path).catch(() => undefined);
      const name = path.split('/').at(-1) ?? '';
      if (object) live.set(name, object);
      else live.delete(name);
    }
  };
  const round = async (by: Applier, objects = wanted) => {
    writes.length = 0;
    skips = 0;
    for (const object of objects) await by.apply(object);
    return { writes: [...writes], skips };
  };
  const change = (path: string, body: object) => kube.request('PATCH', path, { contentType: 'application/merge-patch+json', body });
  return { kube, applier, observe, round, change };
}

test('applies once, and writes nothing while nothing changes, by a new applier neither', async () => {
  const { applier, observe, round } = applied();
  const first = applier();
  assert.equal((await round(first)).writes.length, 2);
  await observe();
  assert.deepEqual(await round(first), { writes: [], skips: 2 });
  assert.deepEqual(await round(applier()), { writes: [], skips: 2 });
});

test('a status or an annotation that others write is no reason to write', async () => {
  const { applier, observe, round, change } = applied();
  const by = applier();
  await round(by);
  await change(STATEFUL_SET, { status: { replicas: 1 }, metadata: { annotations: { other: 'x' } } });
  await change(CONFIG_MAP, { metadata: { annotations: { other: 'x' } } });
  await observe();
  assert.deepEqual((await round(by)).writes, []);
  assert.deepEqual((await round(applier())).writes, []);
});

const DRIFT: [why: string, path: string, change: object][] = [
  ['a field of the spec', STATEFUL_SET, { spec: { replicas: 1 } }],
  ['data of a kind without a generation', CONFIG_MAP, { data: { k: 'x' } }],
  ['a field that was taken out', CONFIG_MAP, { data: null }],
  ['a label', CONFIG_MAP, { metadata: { labels: { a: 'x' } } }],
  ['our own annotation', STATEFUL_SET, { metadata: { annotations: { 'chat.parley.dev/applied-hash': 'x' } } }],
];
for (const [why, path, drift] of DRIFT)
  for (const restarted of [false, true])
    test(`repairs ${why}${restarted ? ', also after a restart' : ''}, and then rests`, async () => {
      const { kube, applier, observe, round, change } = applied();
      let by = applier();
      await round(by);
      const before: KubeObject = await kube.request('GET', path);
      await change(path, drift);
      await observe();
      if (restarted) by = applier();
      assert.deepEqual((await round(by)).writes, [`PATCH ${path}`]);
      const after: KubeObject = await kube.request('GET', path);
      for (const field of ['spec', 'data']) assert.deepEqual(after[field], before[field]);
      assert.deepEqual(after.metadata.labels, before.metadata.labels);
      await observe();
      assert.deepEqual((await round(by)).writes, []);
    });

test('what is deleted is made again', async () => {
  const { kube, applier, observe, round } = applied();
  const by = applier();
  await round(by);
  await kube.request('DELETE', STATEFUL_SET);
  await observe();
  assert.deepEqual((await round(by)).writes, [`PATCH ${STATEFUL_SET}`]);
});

test('a change of what is wanted is written once, though the watch still shows the object before it', async () => {
  const { applier, observe, round } = applied();
  const by = applier();
  await round(by);
  await observe();
  const next = [{ ...wanted[1], spec: { replicas: 4 } } as KubeObject];
  assert.equal((await round(by, next)).writes.length, 1);
  await observe();
  assert.equal((await round(by, next)).writes.length, 0);
});

test('removing what is gone already is no failure', async () => {
  const { applier } = applied();
  await applier().remove(wanted[0] as KubeObject);
});
