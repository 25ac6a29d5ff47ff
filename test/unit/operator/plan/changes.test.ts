// What a plan says of a change.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../../operator/src/kube/transport.ts';
import { changeOf, differences, planHash, planMessage } from '../../../../operator/src/plan/changes.ts';

const set = (component: string, spec: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: `demo-${component}`, labels: { 'app.kubernetes.io/component': component }, ...metadata },
  spec,
});
const template = (image: string) => ({ spec: { containers: [{ name: 'chat', image }] } });

test('each place that differs is one line; items with a name are told by it', () => {
  const before = { replicas: 3, list: [1, 2], template: template('a:1'), same: { x: null } };
  const after = { replicas: 2, list: [1], template: template('a:2'), same: { x: null }, added: 'yes' };
  assert.deepEqual(differences(before, after), [
    'added: none -> "yes"',
    'list[1]: 2 -> none',
    'replicas: 3 -> 2',
    'template.spec.containers[chat].image: "a:1" -> "a:2"',
  ]);
  assert.deepEqual(differences({ a: [] }, { a: [] }), []);
});

test('a change of the template restarts pods; of chat and HAProxy it ends sockets, of others it does not', () => {
  const change = (component: string, more: object = {}) =>
    changeOf(
      {
        live: set(component, { replicas: 3, template: template('a:1') }),
        result: set(component, { replicas: 3, template: template('a:2'), ...more }),
      },
      40,
    );
  assert.deepEqual(change('chat'), {
    object: 'StatefulSet/demo-chat',
    action: 'change',
    diff: ['spec.template.spec.containers[chat].image: "a:1" -> "a:2"'],
    restarts: 3,
    expectedReconnects: 40,
  });
  assert.deepEqual([change('core')?.restarts, change('core')?.expectedReconnects], [3, 0]);
  const scaled = changeOf({ live: set('chat', { replicas: 3 }), result: set('chat', { replicas: 5 }) }, 40);
  assert.deepEqual([scaled?.diff, scaled?.restarts, scaled?.expectedReconnects], [['spec.replicas: 3 -> 5'], 0, 0]);
});

test('what the API server keeps for itself is no change', () => {
  const annotations = { 'chat.parley.dev/applied-hash': 'x' };
  const live = set('chat', { replicas: 3 }, { uid: 'u', resourceVersion: '5', generation: 2, managedFields: [], annotations });
  const result = set(
    'chat',
    { replicas: 3 },
    { uid: 'u', resourceVersion: '6', generation: 2, annotations: { 'chat.parley.dev/applied-hash': 'y' } },
  );
  assert.equal(changeOf({ live: { ...live, status: { replicas: 3 } }, result }, 0), undefined);
});

test('new objects and those that go', () => {
  assert.equal(changeOf({ live: undefined, result: set('chat', {}) }, 7)?.action, 'create');
  assert.equal(changeOf({ live: set('chat', {}), result: undefined }, 7)?.action, 'delete');
});

test('long values and long lists are cut, with a word about the rest', () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, 'x'.repeat(500)]));
  const diff = changeOf({ live: set('core', {}), result: set('core', many) }, 0)?.diff ?? [];
  assert.equal(diff.length, 31);
  assert.match(diff.at(-1) ?? '', /and 70 more/);
  assert.ok(diff.every((line) => line.length < 200));
});

test('the hash follows every byte of what would be there, not what is left to do', () => {
  const [one, other] = [set('chat', { replicas: 1 }), set('chat', { replicas: 2 })];
  const hashes = [planHash([one]), planHash([other]), planHash([one, other]), planHash([])];
  assert.equal(new Set(hashes).size, 4);
  assert.equal(planHash([one]), planHash([structuredClone(one)]));
});

test('the sentence has the sums and the command that approves', () => {
  const change = { object: 'x', action: 'change' as const, diff: [], restarts: 2, expectedReconnects: 10 };
  const text = planMessage(
    { hash: 'abc', changes: [change, { ...change, restarts: 1, expectedReconnects: 0 }] },
    { cluster: 'demo', namespace: 'team' },
  );
  assert.match(text, /2 objects change, 3 pods restart, about 10 sockets reconnect/);
  assert.match(text, /kubectl -n team annotate chatcluster demo chat\.parley\.dev\/approve=abc --overwrite/);
});
