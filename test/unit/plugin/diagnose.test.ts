// What the doctor finds, from what was read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose, table, type Seen } from '@parley/kubectl-parley';
import { paintFor } from '../../../operator/plugin/src/table.ts';

const condition = (type: string, status: 'True' | 'False' | 'Unknown', message = 'fine') => ({
  ...{ type, status, message, reason: 'Because', observedGeneration: 2 },
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const well = ['Ready', 'Available', 'Rendered', 'DependenciesReady', 'MigrationsReady'].map((type) => condition(type, 'True'));
const healthy: Seen = {
  ...{ name: 'demo', namespace: 'team', generation: 2, paused: false, pods: [] },
  ...{ leaseAgeSeconds: 1, operatorNamespace: 'ops' },
  status: { observedGeneration: 2, conditions: [...well, condition('Progressing', 'False'), condition('Degraded', 'False')] },
};
const problemsOf = (change: Partial<Seen>) => diagnose({ ...healthy, ...change }).problems;

test('a healthy cluster has no problem', () => {
  assert.deepEqual(diagnose(healthy), { problems: [], notes: [] });
});

test('no operator, or one that is silent, comes first', () => {
  assert.match(problemsOf({ leaseAgeSeconds: 'none' })[0] ?? '', /not installed, or not running. Install it: kubectl apply/);
  assert.match(problemsOf({ leaseAgeSeconds: 95 })[0] ?? '', /95 seconds ago.*kubectl -n ops get pods/);
  assert.deepEqual(problemsOf({ leaseAgeSeconds: 20 }), []);
});

test('a status of another generation is not believed', () => {
  assert.match(problemsOf({ generation: 3 })[0] ?? '', /speaks of generation 2, the spec is of 3/);
  assert.match(problemsOf({ status: {} })[0] ?? '', /generation none/);
});

test('conditions that are not as they should be, each message once', () => {
  const conditions = [
    condition('Ready', 'False', 'mysql is away; look'),
    condition('Available', 'True'),
    condition('Degraded', 'True', 'mysql is away; look'),
    condition('Progressing', 'True', 'on its way'),
  ];
  assert.deepEqual(problemsOf({ status: { observedGeneration: 2, conditions } }), ['Ready (Because): mysql is away; look']);
});

test('delivery that is not healthy is a problem; that nobody looks is none', () => {
  const told = (status: 'True' | 'False' | 'Unknown', reason: string) =>
    problemsOf({ status: { observedGeneration: 2, conditions: [...well, { ...condition('DeliveryHealthy', status, '1 lost'), reason }] } });
  assert.deepEqual(told('False', 'PromiseBroken'), ['DeliveryHealthy (PromiseBroken): 1 lost']);
  assert.deepEqual(told('Unknown', 'CanaryAway'), ['DeliveryHealthy (CanaryAway): 1 lost']);
  assert.deepEqual([told('True', 'Delivering'), told('Unknown', 'NoCanary'), told('Unknown', 'Starting')], [[], [], []]);
});

test('a pod’s problem is told unless a condition has told it', () => {
  const problem = { reason: 'ImagePullBackOff', message: 'no such image', next: 'check spec.version' };
  const facts = { namespace: 'team', uid: 'u', cluster: 'demo', component: 'core', ip: undefined, revision: undefined } as const;
  const pods = [{ ...facts, name: 'demo-core-1', ready: false, terminating: false, problem }];
  assert.deepEqual(problemsOf({ pods }), ['Pod demo-core-1: ImagePullBackOff: no such image; check spec.version']);
  const conditions = [condition('Ready', 'False', 'demo-core-1: ImagePullBackOff: no such image; check spec.version')];
  assert.equal(problemsOf({ pods, status: { observedGeneration: 2, conditions } }).length, 1);
});

test('what may not be read is a note', () => {
  const { problems, notes } = diagnose({ ...healthy, pods: undefined, leaseAgeSeconds: 'unreadable', paused: true });
  assert.deepEqual(problems, []);
  assert.equal(notes.length, 3);
});

test('columns are as wide as their widest cell, and colours are for terminals that want them', () => {
  assert.equal(
    table([
      ['A', 'LONG', ''],
      ['wide', 'x', ''],
    ]),
    'A      LONG\nwide   x',
  );
  assert.notEqual(paintFor({ isTTY: true, noColor: false }).bad('x'), 'x');
  for (const where of [
    { isTTY: false, noColor: false },
    { isTTY: true, noColor: true },
  ])
    assert.equal(paintFor(where).good('x'), 'x');
});

test('a change of the signing key is a note while it goes on, a problem when it does not', () => {
  const keyRotation = { phase: 'Signing', since: '2026-01-01T00:00:00Z', message: 'The key k signs' } as const;
  const withKey = (more: object) => diagnose({ ...healthy, status: { ...healthy.status, keyRotation: { ...keyRotation, ...more } } });
  assert.deepEqual(withKey({}), { problems: [], notes: ['The key k signs.'] });
  assert.deepEqual(withKey({ phase: 'Done' }), { problems: [], notes: [] });
  assert.deepEqual(withKey({ held: 'b does not follow: delete the pod' }).problems, ['b does not follow: delete the pod']);
  assert.deepEqual(withKey({ phase: 'Failed' }).problems, ['The key k signs']);
});
