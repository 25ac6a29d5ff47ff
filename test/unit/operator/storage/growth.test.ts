// Growth of volumes as a pure decision, and its steps one after the other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Applier } from '../../../../operator/src/kube/applier.ts';
import { ownedResource, pathOf } from '../../../../operator/src/kube/resources.ts';
import { ApiError, type KubeObject, type KubeTransport } from '../../../../operator/src/kube/transport.ts';
import { claimOf, templateOf, type Claim } from '../../../../operator/src/storage/claims.ts';
import { grow, growthOf, type RefusedGrowth } from '../../../../operator/src/storage/growth.ts';
import { objectsOf } from '../../cdk8s/rendered.ts';

const sized = (size: string): KubeObject[] => objectsOf({ mysql: { storage: { size } }, backup: { storage: { size } } });
const named = (objects: readonly KubeObject[], kind: string, name: string): KubeObject =>
  objects.find((object) => object.kind === kind && object.metadata.name === name) ?? assert.fail(name);
const mysql = (objects: readonly KubeObject[]) => named(objects, 'StatefulSet', 'demo-mysql');
const sizeOf = (object: KubeObject) => templateOf(object)?.spec.resources.requests.storage;

const claim = (name: string, requested: string, more: Partial<Claim> = {}): Claim => ({
  ...{ name, uid: `uid-${name}`, component: 'mysql', createdMs: 0, bound: true, terminating: false, storageClass: 'fast' },
  ...{ requested, capacity: requested, ownedBy: undefined, resizeError: undefined, waitsForPod: false },
  ...more,
});
const DATA = 'data-demo-mysql-0';

test('a fresh cluster: everything is applied as it is wanted', () => {
  const wanted = sized('5Gi');
  assert.deepEqual(growthOf(wanted, [], []), { objects: wanted, raise: [], renew: [] });
});

test('first the claims; the template keeps its size so long, so that the rest of the StatefulSet can change', () => {
  const { objects, raise, renew } = growthOf(sized('10Gi'), sized('5Gi'), [claim(DATA, '5Gi'), claim('demo-backup', '5Gi')]);
  assert.deepEqual(
    raise.map(({ claim: { name }, size }) => [name, size]),
    [
      [DATA, '10Gi'],
      ['demo-backup', '10Gi'],
    ],
  );
  assert.deepEqual(renew, []);
  assert.equal(sizeOf(mysql(objects)), '5Gi');
});

test('then the StatefulSet goes, without what it has made, and is made again when it is gone', () => {
  const [wanted, live] = [sized('10Gi'), sized('5Gi')];
  const larger = [claim(DATA, '10Gi'), claim('demo-backup', '10Gi')];
  const first = growthOf(wanted, live, larger);
  assert.deepEqual(first.renew, [mysql(live)]);
  const isIn = (objects: readonly KubeObject[]) =>
    objects.some(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'demo-mysql');
  assert.equal(isIn(first.objects), false);
  const going = live.map((one) =>
    one === mysql(live) ? { ...one, metadata: { ...one.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } } : one,
  );
  const second = growthOf(wanted, going, larger);
  assert.deepEqual(second.renew, []);
  assert.equal(isIn(second.objects), false);
  const gone = live.filter((one) => one !== mysql(live));
  assert.equal(sizeOf(mysql(growthOf(wanted, gone, larger).objects)), '10Gi');
});

test('one that a person has grown further stays, one without a volume waits, those of others are left alone', () => {
  const grown = growthOf(sized('10Gi'), sized('5Gi'), [claim(DATA, '20Gi')]);
  assert.deepEqual([grown.raise, grown.renew.length], [[], 1]);
  const waiting = growthOf(sized('10Gi'), sized('5Gi'), [claim(DATA, '5Gi', { bound: false })]);
  assert.deepEqual([waiting.raise, waiting.renew], [[], []]);
  const others = growthOf(sized('10Gi'), sized('10Gi'), [claim('data-demo-mysql-old', '1Gi'), claim('data-demo-mysql-10-0', '1Gi')]);
  assert.deepEqual(others.raise, []);
});

test('1024Mi are 1Gi', () => {
  const { raise, renew } = growthOf(sized('1Gi'), sized('1024Mi'), [claim(DATA, '1024Mi'), claim('demo-backup', '1Gi')]);
  assert.deepEqual([raise, renew], [[], []]);
});

test('what the API server refuses is remembered with its words, and asked again after a minute or for another size', async () => {
  const asked: string[] = [];
  let refuse = true;
  const transport: KubeTransport = {
    request: async <T>(_method: string, path: string, { body }: { body?: unknown } = {}) => {
      asked.push(`${path} ${JSON.stringify(body)}`);
      if (refuse) throw new ApiError(403, 'Forbidden', 'the storageclass must support resize');
      return {} as T;
    },
    stream: () => assert.fail(),
  };
  const refused: RefusedGrowth = new Map();
  const steps: string[] = [];
  const step = (size: string, seconds: number) =>
    grow(growthOf(sized(size), sized('5Gi'), [claim(DATA, '5Gi'), claim('demo-backup', '99Gi')]), {
      ...{ transport, applier: new Applier({ transport, live: () => undefined }), namespace: 'team', refused },
      ...{ now: new Date(seconds * 1000), onStep: (reason: string) => void steps.push(reason) },
    });
  await step('10Gi', 0);
  await step('10Gi', 59);
  assert.deepEqual([asked.length, refused.get(`uid-${DATA}`)?.message], [1, 'the storageclass must support resize']);
  await step('10Gi', 61);
  await step('11Gi', 62);
  assert.equal(asked.length, 3);
  const path = pathOf(ownedResource('PersistentVolumeClaim'), 'team', DATA);
  assert.equal(asked[2], `${path} {"spec":{"resources":{"requests":{"storage":"11Gi"}}}}`);
  refuse = false;
  await step('11Gi', 123);
  assert.deepEqual([refused.size, steps], [0, ['VolumeGrows']]);
  refuse = true;
  await step('12Gi', 124);
  await step('5Gi', 125);
  assert.equal(refused.size, 0, 'a size that is taken back is no refusal any more');
});

test('a claim is read as the API server has it', () => {
  const object = (spec: object, status: object, metadata: object = {}) =>
    claimOf({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'x', ...metadata }, spec, status });
  const resources = { requests: { storage: '5Gi' } };
  const fresh = object({ resources }, { phase: 'Pending' });
  assert.deepEqual([fresh.bound, fresh.storageClass, fresh.capacity, fresh.requested], [false, undefined, undefined, '5Gi']);
  const failed = { type: 'ControllerResizeError', status: 'True', message: 'quota' };
  const stuck = object({ resources, storageClassName: '' }, { phase: 'Bound', capacity: { storage: '1Gi' }, conditions: [failed] });
  assert.deepEqual([stuck.storageClass, stuck.capacity, stuck.resizeError], ['', '1Gi', 'quota']);
  const owner = { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 's', uid: 'u' }] };
  assert.equal(object({ resources }, {}, owner).ownedBy, 's');
});
