// What a reflector has seen: by name, and by what it belongs to.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clusterOf } from '../../../../operator/src/kube/resources.ts';
import { Store } from '../../../../operator/src/kube/store.ts';
import type { KubeObject } from '../../../../operator/src/kube/transport.ts';

const object = (name: string, instance?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'team', ...(instance === undefined ? {} : { labels: { 'app.kubernetes.io/instance': instance } }) },
});
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name).sort();

describe('a store', () => {
  test('keeps together what is labelled with one ChatCluster, of one namespace', () => {
    const store = new Store(clusterOf);
    const elsewhere = { ...object('d', 'demo'), metadata: { ...object('d', 'demo').metadata, namespace: 'other' } };
    for (const each of [object('a', 'demo'), object('b', 'demo'), object('c', 'next'), object('x'), elsewhere]) store.set(each);
    assert.deepEqual(names(store.group('team/demo')), ['a', 'b']);
    assert.deepEqual(names(store.group('team/next')), ['c']);
    assert.deepEqual(store.group('team/none'), []);
    assert.equal(store.list().length, 5);
  });

  test('an object that gets another label, changes or goes is where it belongs, and once', () => {
    const store = new Store(clusterOf);
    store.set(object('a', 'demo'));
    const changed = object('a', 'demo');
    store.set(changed);
    assert.deepEqual(store.group('team/demo'), [changed]);
    store.set(object('a', 'next'));
    assert.deepEqual([names(store.group('team/demo')), names(store.group('team/next'))], [[], ['a']]);
    store.delete('team/a');
    store.delete('team/a');
    assert.deepEqual([store.group('team/next'), store.get('team/a')], [[], undefined]);
  });

  test('a complete list takes the place of all, and tells what is gone', () => {
    const store = new Store(clusterOf);
    for (const each of [object('a', 'demo'), object('b', 'demo')]) store.set(each);
    assert.deepEqual(names(store.replace([object('b', 'demo'), object('c', 'demo')])), ['a']);
    assert.deepEqual(names(store.group('team/demo')), ['b', 'c']);
  });

  test('who owns which field is not kept', () => {
    const store = new Store();
    store.set({ ...object('a'), metadata: { ...object('a').metadata, managedFields: [{ manager: 'kubectl' }] } });
    assert.equal('managedFields' in (store.get('team/a')?.metadata ?? {}), false);
  });
});
