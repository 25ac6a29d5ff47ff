// What is taken away of a cluster, and what waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@parley/cdk8s';
import { identity, unwanted } from '../../../../operator/src/kube/removal.ts';
import { objectsOf, planOf } from '../../cdk8s/rendered.ts';

const live = { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name: 'demo', uid: 'u' } };
const ours = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ownerReferences: [{ uid: 'u' }] as never },
});
const full = { chat: { autoscaling: { maxReplicas: 9 } }, monitoring: { prometheus: 'builtin' } };
const owned = objectsOf(full).map(ours);
const removed = (spec: object, migrated = true): string[] =>
  unwanted(owned, objectsOf(spec, migrated), { live, plan: planOf(spec) }).map(identity);

test('nothing of what is wanted goes', () => {
  assert.deepEqual(removed(full), []);
});

test('one object of a part that stays goes', () => {
  assert.deepEqual(removed({ ...full, chat: {} }), ['HorizontalPodAutoscaler/demo-chat']);
});

test('a part that is not wanted goes whole', () => {
  const names = removed({ ...full, monitoring: { prometheus: 'none' } });
  assert.ok(names.includes('Deployment/demo-prometheus') && names.every((name) => name.endsWith('-prometheus')), names.join());
});

test('while a new version migrates nothing of the services goes', () => {
  assert.deepEqual(
    removed({ ...full, chat: {} }, false).filter((name) => !name.startsWith('Job/')),
    [],
  );
});

test('what belongs to nobody or to another cluster stays, also what is on its way out', () => {
  const plan = planOf({});
  const autoscaler = owned.find(({ kind }) => kind === 'HorizontalPodAutoscaler') as KubeObject;
  const others: KubeObject[] = [
    { ...autoscaler, metadata: { ...autoscaler.metadata, ownerReferences: [{ uid: 'v' }] as never } },
    { ...autoscaler, metadata: { ...autoscaler.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    { ...autoscaler, metadata: { name: 'demo-chat', labels: autoscaler.metadata.labels } as never },
  ];
  assert.deepEqual(unwanted(others, objectsOf({}), { live, plan }), []);
  assert.deepEqual(unwanted([autoscaler], objectsOf({}), { live, plan }), [autoscaler]);
});
