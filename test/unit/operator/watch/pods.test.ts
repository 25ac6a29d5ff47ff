// What is read out of a Pod, and what a person is told to do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../../operator/src/kube/transport.ts';
import { podFacts } from '../../../../operator/src/watch/pods.ts';

const labels = { 'app.kubernetes.io/instance': 'demo', 'app.kubernetes.io/component': 'chat', 'controller-revision-hash': 'r1' };
const podWith = (status: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'demo-chat-0', namespace: 'team', uid: 'u', labels, ...metadata },
  status,
});
const ready = (value: string) => ({ podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: value }] });
const waiting = (reason: string, message = '') => ({
  containerStatuses: [{ name: 'chat', ready: false, restartCount: 0, state: { waiting: { reason, message } } }],
});

test('a pod that serves', () => {
  const { problem, ...facts } = podFacts(podWith(ready('True')));
  assert.equal(problem, undefined);
  assert.deepEqual(facts, {
    ...{ name: 'demo-chat-0', namespace: 'team', uid: 'u', cluster: 'demo', component: 'chat', ip: '10.0.0.7', revision: 'r1' },
    ...{ ready: true, serving: [], started: false, terminating: false },
  });
});

test('a container that runs and has passed its startup probe may hold sockets, ready or not', () => {
  const started = (status: object) => podFacts(podWith({ containerStatuses: [{ name: 'chat', ...status }] })).started;
  assert.equal(started({ started: true, ready: false, state: { running: {} } }), true);
  assert.equal(started({ started: false, ready: false, state: { running: {} } }), false);
  assert.equal(started({ started: true, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } }), false);
});

test('a pod that goes serves nobody new, and has no problem', () => {
  const {
    ready: serves,
    terminating,
    problem,
  } = podFacts(podWith({ ...ready('True'), ...waiting('CrashLoopBackOff') }, { deletionTimestamp: '2026-01-01T00:00:00Z' }));
  assert.deepEqual([serves, terminating, problem], [false, true, undefined]);
});

test('each problem has a cause and a next step', () => {
  const unscheduled = (message: string) => ({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] });
  const ended = (reason: string, state = {}, message = '') => ({
    containerStatuses: [
      { name: 'chat', ready: false, restartCount: 4, state, lastState: { terminated: { reason, exitCode: 78, message } } },
    ],
  });
  const table: [status: object, reason: string, message: RegExp, next: RegExp][] = [
    [unscheduled('0/3 nodes are available: Insufficient cpu'), 'Unschedulable', /Insufficient cpu/, /add a node, or lower the resources/],
    [unscheduled('pod has unbound immediate PersistentVolumeClaims'), 'Unschedulable', /unbound/, /kubectl get storageclass/],
    [unscheduled('node(s) had untolerated taint'), 'Unschedulable', /taint/, /taints and labels/],
    [waiting('ImagePullBackOff', 'Back-off pulling image "x"'), 'ImagePullBackOff', /pulling image/, /spec\.version and spec\.images/],
    [waiting('ErrImagePull'), 'ErrImagePull', /^$/, /registry/],
    [waiting('InvalidImageName'), 'InvalidImageName', /^$/, /spec\.images\.registry/],
    [
      waiting('CreateContainerConfigError', 'secret "s" not found'),
      'CreateContainerConfigError',
      /secret "s" not found/,
      /make the Secret/,
    ],
    [
      ended('Error', { waiting: { reason: 'CrashLoopBackOff' } }),
      'CrashLoopBackOff',
      /ended 4 times.*code 78/,
      /kubectl -n team logs demo-chat-0 -c chat --previous/,
    ],
    [ended('Error', { running: {} }), 'Restarted', /code 78/, /--previous/],
    [
      ended('Error', { running: {} }, 'starting\n{"level":"FATAL","msg":"cannot start: MySQL says \\"no\\"","time":"x"}\n'),
      'Restarted',
      /code 78, and said: cannot start: MySQL says \\"no\\"$/,
      /--previous/,
    ],
    [ended('Error', { running: {} }, `first\n${'x'.repeat(1000)}the end`), 'Restarted', /said: …x{293}the end$/, /--previous/],
    [ended('OOMKilled'), 'OOMKilled', /memory/, /resources\.limits\.memory/],
    [{ initContainerStatuses: waiting('ImagePullBackOff').containerStatuses }, 'ImagePullBackOff', /^$/, /registry/],
  ];
  for (const [status, reason, message, next] of table) {
    const { problem } = podFacts(podWith(status));
    assert.equal(problem?.reason, reason);
    assert.match(problem?.message ?? '-', message, reason);
    assert.match(problem?.next ?? '-', next, reason);
  }
});

test('what is only on its way is no problem', () => {
  for (const status of [waiting('ContainerCreating'), waiting('PodInitializing'), ready('False'), {}])
    assert.equal(podFacts(podWith(status)).problem, undefined);
});

test('a pod that somebody wants empty says so, and how to undo it, once it is not ready', () => {
  const asked = { annotations: { 'chat.parley.dev/drain': 'yes' } };
  assert.deepEqual(
    [podFacts(podWith(ready('True'), asked)).drainAsked, podFacts(podWith(ready('True'), asked)).problem],
    [true, undefined],
  );
  const { reason, next } = podFacts(podWith(ready('False'), asked)).problem ?? assert.fail();
  assert.deepEqual(
    [reason, next],
    ['Drained', 'let it take sockets again: kubectl -n team annotate pod demo-chat-0 chat.parley.dev/drain-'],
  );
  assert.equal(podFacts(podWith(ready('True'), { annotations: { 'chat.parley.dev/drain': 'false' } })).drainAsked, undefined);
});
