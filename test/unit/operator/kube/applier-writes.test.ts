// What the applier writes and deletes, on the twin of the API server: when it writes at all, over whose changes, and whose object it deletes.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Applier } from '../../../../operator/src/kube/applier.ts';
import { ownedResource, pathOf } from '../../../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport } from '../../../../operator/src/kube/transport.ts';
import { MemoryKube } from '../../../helpers/memory-kube.ts';

const labels = (cluster: string) => ({ 'app.kubernetes.io/name': 'parley', 'app.kubernetes.io/instance': cluster });
const object = (kind: string, name: string, more: object, cluster = 'demo'): KubeObject => ({
  apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
  kind,
  metadata: { name, namespace: 'team', labels: labels(cluster) },
  ...more,
});
const config = (value: string, cluster = 'demo') => object('ConfigMap', `${cluster}-config`, { data: { key: value } }, cluster);
const deployment = (replicas: number) => object('Deployment', 'demo-core', { spec: { replicas } });
const pathOfObject = ({ kind, metadata }: KubeObject) => pathOf(ownedResource(kind), metadata.namespace, metadata.name);

let kube: MemoryKube;
let writes: string[];
let skips: number;
let applier: Applier;
/** as the watch shows it: behind what is, if a test says so */
let seen: (object: KubeObject) => KubeObject | undefined;
let stored: Map<string, KubeObject>;

/** Brings what the watch shows up to date. */
const watch = async (...objects: KubeObject[]): Promise<void> => {
  for (const each of objects) {
    const found = await kube.request<KubeObject>('GET', pathOfObject(each)).catch(() => undefined);
    if (found) stored.set(pathOfObject(each), found);
    else stored.delete(pathOfObject(each));
  }
};
const change = (wanted: KubeObject, body: object) =>
  kube.request<KubeObject>('PATCH', pathOfObject(wanted), { contentType: 'application/merge-patch+json', body });
const begin = (): Applier => {
  const transport: KubeTransport = {
    request: (method, path, options) => {
      writes.push(method);
      return kube.request(method, path, options);
    },
    stream: (path, query, signal) => kube.stream(path, query, signal),
  };
  return new Applier({ transport, live: (wanted) => seen(wanted), onSkip: () => skips++ });
};

beforeEach(() => {
  kube = new MemoryKube();
  writes = [];
  skips = 0;
  stored = new Map();
  seen = (wanted) => stored.get(pathOfObject(wanted));
  applier = begin();
});

describe('apply', () => {
  test('writes what is new, and then nothing: neither right after its own write nor after a restart', async () => {
    const wanted = config('a');
    assert.equal(await applier.apply(wanted), true);
    await watch(wanted);
    assert.equal(await applier.apply(wanted), false);
    applier = begin();
    assert.equal(await applier.apply(structuredClone(wanted)), false);
    assert.deepEqual([writes, skips], [['PATCH'], 2]);
  });

  test('writes what is no longer wanted by the text of the last apply, although the live object holds all that is wanted', async () => {
    const both = object('ConfigMap', 'demo-config', { data: { key: 'a', old: 'b' } });
    await applier.apply(both);
    await watch(both);
    assert.equal(await applier.apply(config('a')), true);
    assert.deepEqual((await kube.request<KubeObject>('GET', pathOfObject(both)))['data'], { key: 'a' });
  });

  test('takes back what somebody else changed', async () => {
    const wanted = config('a');
    await applier.apply(wanted);
    await change(wanted, { data: { key: 'theirs' } });
    await watch(wanted);
    assert.equal(await applier.apply(wanted), true);
    assert.deepEqual((await kube.request<KubeObject>('GET', pathOfObject(wanted)))['data'], { key: 'a' });
  });

  test('leaves what somebody else added', async () => {
    const wanted = config('a');
    await applier.apply(wanted);
    await change(wanted, { data: { theirs: 'b' } });
    await watch(wanted);
    assert.equal(await applier.apply(wanted), false);
  });

  test('takes back a label of a kind that counts its specs', async () => {
    const wanted = deployment(2);
    await applier.apply(wanted);
    await change(wanted, { metadata: { labels: { 'app.kubernetes.io/name': 'theirs' } } });
    await watch(wanted);
    assert.equal(await applier.apply(wanted), true);
  });

  test('takes back a spec of a kind that counts its specs, and a status is no change', async () => {
    const wanted = deployment(2);
    await applier.apply(wanted);
    await change(wanted, { status: { replicas: 1 } });
    await watch(wanted);
    assert.equal(await applier.apply(wanted), false);
    await change(wanted, { spec: { replicas: 9 } });
    await watch(wanted);
    assert.equal(await applier.apply(wanted), true);
  });

  test('writes what is on its way out', async () => {
    const wanted = config('a');
    await applier.apply(wanted);
    await watch(wanted);
    const live = stored.get(pathOfObject(wanted)) ?? assert.fail();
    seen = () => ({ ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    assert.equal(await applier.apply(wanted), true);
  });

  test('an object of the same name that was made anew is looked at as a new one', async () => {
    const wanted = deployment(2);
    await applier.apply(wanted);
    await watch(wanted);
    const live = stored.get(pathOfObject(wanted)) ?? assert.fail();
    // Its generation begins anew, and the annotation was copied along.
    seen = () => ({ ...live, metadata: { ...live.metadata, uid: 'another', resourceVersion: '0' }, spec: { replicas: 1 } });
    assert.equal(await applier.apply(wanted), true);
  });

  test('a claim is made once: its size, which only grows, is not applied again', async () => {
    const claim = (storage: string) =>
      object('PersistentVolumeClaim', 'data-demo-mysql-0', { spec: { resources: { requests: { storage } } } });
    assert.equal(await applier.apply(claim('8Gi')), true);
    await watch(claim('8Gi'));
    assert.equal(await applier.apply(claim('9Gi')), false);
    assert.deepEqual(writes, ['PATCH']);
  });
});

describe('remove and orphan', () => {
  for (const way of ['remove', 'orphan'] as const)
    test(`${way}: the object that was seen and no other of its name`, async () => {
      const wanted = config('a');
      await applier.apply(wanted);
      const old = await kube.request<KubeObject>('GET', pathOfObject(wanted));
      await kube.request('DELETE', pathOfObject(wanted));
      await begin().apply(config('a'));
      await assert.rejects(applier[way]({ ...old, kind: 'ConfigMap' }), /uid/);
      const next = await kube.request<KubeObject>('GET', pathOfObject(wanted));
      assert.notEqual(next.metadata.uid, old.metadata.uid);
      await applier[way](next);
      await assert.rejects(kube.request('GET', pathOfObject(wanted)));
      // Gone already: that is what was wanted.
      await applier[way](next);
    });
});

test('what is known of a cluster is let go of with it, and that of others stays', async () => {
  for (const cluster of ['one', 'other']) {
    await applier.apply(config('a', cluster));
    await watch(config('a', cluster));
  }
  assert.equal(applier.known, 2);
  applier.forget('team/one');
  assert.equal(applier.known, 1);
});
