// What is told of volumes, as a pure function of what is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Claim } from '../../../../operator/src/storage/claims.ts';
import { storageVerdict, storageView, type StorageSeen } from '../../../../operator/src/storage/status.ts';
import { complaint } from '../../../../operator/src/storage/waiting-claims.ts';
import { planOf } from '../../cdk8s/rendered.ts';

const claim = (name: string, more: Partial<Claim> = {}): Claim => ({
  ...{ name, uid: name, component: 'mysql', createdMs: 0, bound: true, terminating: false, storageClass: 'fast' },
  ...{ requested: '5Gi', capacity: '5Gi', ownedBy: undefined, resizeError: undefined, waitsForPod: false },
  ...more,
});
const view = (claims: Claim[], more: Partial<StorageSeen> = {}) =>
  storageView({ plan: planOf({}), claims, pods: [], refused: new Map(), waiting: new Map(), ...more });

test('each volume with what it has, and its fate: that of the spec, or that of the claim itself', () => {
  const plan = planOf({ redis: { storage: { whenDeleted: 'Delete' } } });
  const claims = [
    claim('data-demo-redis-0', { component: 'redis', capacity: '1Gi' }),
    claim('data-demo-mysql-0', { bound: false, capacity: undefined, requested: '7Gi' }),
    claim('data-demo-postgres-0', { component: 'postgres', ownedBy: 'demo-postgres' }),
    claim('demo-backup', { component: 'backup' }),
  ];
  assert.deepEqual(
    view(claims, { plan }).volumes.map(({ claim: name, size, whenDeleted }) => [name, size, whenDeleted]),
    [
      ['data-demo-mysql-0', '7Gi', 'Retain'],
      ['data-demo-postgres-0', '5Gi', 'Delete'],
      ['data-demo-redis-0', '1Gi', 'Delete'],
      ['demo-backup', '5Gi', 'Retain'],
    ],
  );
});

test('a volume that grows is no problem; one that does not is, with the words of the storage', () => {
  const growing = storageVerdict(view([claim('data-demo-mysql-0', { requested: '9Gi', waitsForPod: true })]));
  assert.deepEqual([growing.status, growing.reason], ['True', 'Growing']);
  assert.match(growing.message, /from 5Gi to 9Gi.*kubectl -n team delete pod demo-mysql-0/);
  const stuck = storageVerdict(view([claim('data-demo-mysql-0', { requested: '9Gi', resizeError: 'quota exceeded.' })]));
  assert.deepEqual([stuck.status, stuck.reason], ['False', 'ResizeFailed']);
  assert.match(stuck.message, /stays at 5Gi instead of 9Gi: quota exceeded\. Next: kubectl -n team describe pvc/);
});

test('a claim that waits: why, unless it waits as it should', () => {
  const waiting = { bound: false, capacity: undefined };
  assert.equal(storageVerdict(view([claim('a', waiting)])).status, 'True');
  assert.match(
    storageVerdict(view([claim('a', { ...waiting, storageClass: undefined })])).message,
    /no default one.*spec\.mysql\.storage\.class/,
  );
  const said = new Map([['a', 'ProvisioningFailed: no such class.']]);
  assert.match(
    storageVerdict(view([claim('a', waiting)], { waiting: said })).message,
    /Kubernetes says: ProvisioningFailed: no such class\. Next/,
  );
  assert.equal(storageVerdict(view([claim('a', { ...waiting, terminating: true, storageClass: undefined })])).status, 'True');
});

test('of the events of a claim the newest counts', () => {
  const waits = claim('a', { createdMs: 0 });
  const event = (type: string, reason: string, second: number, more: object = {}) => ({
    ...{ type, reason, note: 'why', regarding: { uid: 'a' } },
    ...{ deprecatedLastTimestamp: new Date(second * 1000).toISOString() },
    ...more,
  });
  const failed = event('Warning', 'ProvisioningFailed', 1);
  assert.equal(complaint(waits, [], 90_000), undefined);
  assert.equal(complaint(waits, [failed], 1000), 'ProvisioningFailed: why');
  assert.equal(complaint(waits, [event('Normal', 'WaitForFirstConsumer', 2), failed], 90_000), undefined);
  assert.equal(complaint(waits, [{ ...failed, regarding: { uid: 'another' } }], 90_000), undefined);
  const external = event('Normal', 'ExternalProvisioning', 3);
  assert.deepEqual([complaint(waits, [external], 10_000), complaint(waits, [external], 31_000)], [undefined, 'ExternalProvisioning: why']);
  assert.equal(
    complaint(waits, [external, event('Warning', 'Late', 0, { series: { lastObservedTime: '2026-01-01T00:00:00Z' } })], 0),
    'Late: why',
  );
});
