// The status as a pure function of what is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatClusterStatus } from '@parley/operator-api';
import { componentsOf } from '@parley/cdk8s';
import type { KubeObject } from '../../../../operator/src/kube/transport.ts';
import type { ChatPod } from '../../../../operator/src/rollout/rollout.ts';
import type { StatusInput } from '../../../../operator/src/status/input.ts';
import { failedStatus, statusFor } from '../../../../operator/src/status/status.ts';
import type { Part } from '../../../../operator/src/watch/workloads.ts';
import { planOf } from '../../cdk8s/rendered.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const LATER = new Date('2026-01-02T04:00:00Z');
const plan = planOf({});

function seen(change: (component: string) => Partial<Record<string, number>> | undefined = () => ({})): Part[] {
  return componentsOf(plan).map((planned) => {
    const changed = change(planned.component);
    if (!changed) return { planned, object: undefined };
    const replicas = planned.component === 'chat' ? 3 : 1;
    const running =
      planned.kind === 'Job' ? { succeeded: 1 } : { replicas, readyReplicas: replicas, updatedReplicas: replicas, observedGeneration: 1 };
    const object = {
      apiVersion: 'v1',
      kind: planned.kind,
      metadata: { name: planned.name, generation: 1 },
      spec: { replicas },
      status: { ...running, ...changed },
    } as KubeObject;
    return { planned, object };
  });
}

const status = (parts: Part[], more: Partial<StatusInput> = {}) =>
  statusFor({
    ...{
      generation: 1,
      previous: undefined,
      plan,
      parts,
      pods: [],
      rollout: undefined,
      delivery: undefined,
      crds: undefined,
      storage: { volumes: [], problems: [], growing: [] },
      missing: [],
      failedBackups: [],
      idleAutoscaler: undefined,
      missingKinds: [],
      pending: undefined,
      paused: false,
      now: NOW,
    },
    ...more,
  });
const pod = (name: string, more: Partial<ChatPod> = {}): ChatPod => ({
  ...{ name, namespace: 'team', uid: name, cluster: 'demo', component: 'chat', ip: '10.0.0.1', revision: 'r1' },
  ...{ ready: true, terminating: false, problem: undefined, sockets: undefined },
  ...more,
});
const condition = ({ conditions }: ChatClusterStatus, type: string) => conditions?.find((each) => each.type === type) ?? assert.fail(type);

test('all running: Ready, and every condition speaks of the generation it saw', () => {
  const result = status(seen(), { generation: 7 });
  assert.equal(condition(result, 'Ready').status, 'True');
  for (const each of result.conditions ?? []) {
    assert.equal(each.observedGeneration, 7);
    assert.ok(each.reason && each.message);
  }
  assert.equal(result.readyReplicas, 3);
});

test('a server that is not ready: not Ready, named with the next step', () => {
  const result = status(seen((component) => (component === 'kafka' ? { readyReplicas: 0 } : {})));
  assert.equal(condition(result, 'DependenciesReady').status, 'False');
  const { reason, message } = condition(result, 'Ready');
  assert.equal(reason, 'DependenciesNotReady');
  assert.match(message, /kafka has 0 of 1 replicas ready.*kubectl -n team get pods/s);
});

test('three Redis servers without a quorum: DependenciesReady says what cannot happen any more', () => {
  const three = planOf({ redis: { replicas: 3 } });
  const parts = seen((component) => (component === 'redis' ? { readyReplicas: 0 } : {}));
  const pods = [0, 1].map((index) =>
    pod(`demo-redis-${index}`, { component: 'redis', ready: false, serving: index === 0 ? ['redis'] : [] }),
  );
  const { status: value, message } = condition(status(parts, { plan: three, pods }), 'DependenciesReady');
  assert.equal(value, 'False');
  assert.match(
    message,
    /redis has 0 of 1 replicas ready: 0 of 3 Sentinels see a quorum, and 2 are needed: .*no replica follows the primary/,
  );
});

test('a backup that failed: Degraded, and still Ready; what the services lack is told first', () => {
  const failedBackups = ['The last backup of demo-backup-mysql failed'];
  const result = status(seen(), { failedBackups });
  assert.equal(condition(result, 'Ready').status, 'True');
  const { reason, message, status: value } = condition(result, 'Degraded');
  assert.deepEqual([value, reason, message], ['True', 'BackupFailed', 'The last backup of demo-backup-mysql failed.']);
  const parts = seen((component) => (component === 'chat' ? { readyReplicas: 2 } : {}));
  assert.equal(condition(status(parts, { failedBackups }), 'Degraded').reason, 'PartsNotReady');
});

test('an autoscaler that does not work: Degraded, and still Ready; a failed backup is told first', () => {
  const idle = { idleAutoscaler: 'The autoscaler of chat does not work' };
  const result = status(seen(), idle);
  assert.equal(condition(result, 'Ready').status, 'True');
  assert.deepEqual(condition(result, 'Degraded').reason, 'AutoscalerIdle');
  assert.equal(condition(status(seen(), { ...idle, failedBackups: ['one failed'] }), 'Degraded').reason, 'BackupFailed');
});

test('one of three chat replicas is not ready: not Ready, but Available and Degraded', () => {
  const result = status(seen((component) => (component === 'chat' ? { readyReplicas: 2 } : {})));
  assert.equal(condition(result, 'Ready').status, 'False');
  assert.equal(condition(result, 'Available').status, 'True');
  assert.equal(condition(result, 'Degraded').status, 'True');
});

test('a rollout that has not replaced all pods is not Ready', () => {
  assert.equal(condition(status(seen((component) => (component === 'chat' ? { updatedReplicas: 1 } : {}))), 'Ready').status, 'False');
});

test('a workload whose controller has not seen the newest spec is not Ready', () => {
  assert.equal(condition(status(seen((component) => (component === 'core' ? { observedGeneration: 0 } : {}))), 'Ready').status, 'False');
});

test('a migration that failed is told with the command that shows why', () => {
  const result = status(seen((component) => (component === 'migrate' ? { succeeded: 0, failed: 2 } : {})));
  assert.match(condition(result, 'MigrationsReady').message, /failed 2 times.*kubectl -n team logs job\/demo-migrate-/);
  assert.equal(condition(result, 'Ready').reason, 'Migrating');
});

test('while a new version migrates the old one serves on: not Ready, but Available', () => {
  const result = status(seen((component) => (component === 'migrate' ? { succeeded: 0 } : {})));
  assert.deepEqual([condition(result, 'Ready').reason, condition(result, 'Available').status], ['Migrating', 'True']);
});

test('nothing exists yet: nothing is claimed', () => {
  const result = status(seen(() => undefined));
  assert.equal(condition(result, 'Ready').status, 'False');
  assert.equal(condition(result, 'Available').status, 'False');
  assert.equal(result.replicas, 0);
});

test('what is wrong with a pod is told in the words of Kubernetes, with the next step, and once for several of them', () => {
  const problem = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"', next: 'check spec.version' };
  const pods = ['demo-core-1', 'demo-core-2'].map((name) => pod(name, { component: 'core', ready: false, problem }));
  const { message } = condition(
    status(
      seen((component) => (component === 'core' ? { readyReplicas: 0 } : {})),
      { pods },
    ),
    'Ready',
  );
  assert.match(message, /core has 0 of 1 replicas ready: demo-core-1: ImagePullBackOff: Back-off pulling image "x"; check spec.version/);
  assert.ok(!message.includes('demo-core-2') && !message.includes('kubectl'));
});

test('a Secret that nobody made comes before everything else', () => {
  const missing = ['spec.mysql.external.urlSecretRef names the Secret db, which does not exist: make it, with the key url'];
  const result = status(
    seen((component) => (component === 'core' ? { readyReplicas: 0 } : {})),
    { missing },
  );
  for (const type of ['Ready', 'Degraded']) {
    assert.equal(condition(result, type).reason, 'SecretMissing');
    assert.match(condition(result, type).message, /names the Secret db, which does not exist: make it/);
  }
});

test('a rollout of chat is told as what it does, and nothing is Ready before it ends', () => {
  const result = status(seen(), { rollout: '1 of 3 chat replicas are of the new revision; demo-chat-2 drains, 12 sockets left' });
  assert.deepEqual([condition(result, 'Ready').status, condition(result, 'Ready').reason], ['False', 'RollingOut']);
  assert.equal(condition(result, 'Available').status, 'True');
  assert.equal(condition(result, 'Progressing').reason, 'RollingOut');
  assert.match(condition(result, 'Progressing').message, /demo-chat-2 drains, 12 sockets left/);
});

test('sockets are counted for the replicas that answered', () => {
  const sockets = { connections: 7, maxConnections: 100, draining: false };
  const { connections } = status(seen(), {
    pods: [
      pod('demo-chat-0', { sockets }),
      pod('demo-chat-1'),
      pod('demo-chat-2', { sockets: { ...sockets, connections: 3 }, terminating: true }),
    ],
  });
  assert.deepEqual(connections, {
    total: 10,
    perReplica: [
      { name: 'demo-chat-0', connections: 7, draining: false },
      { name: 'demo-chat-2', connections: 3, draining: true },
    ],
  });
});

test('a message never passes the bound of the schema', () => {
  const problem = { reason: 'CreateContainerConfigError', message: 'x'.repeat(5000), next: 'make it' };
  const result = status(
    seen((component) => (component === 'core' ? { readyReplicas: 0 } : {})),
    { pods: [pod('c', { component: 'core', problem })] },
  );
  for (const { message } of result.conditions ?? []) assert.ok(message.length <= 4096);
});

test('the time of a transition stays while the status stays', () => {
  const first = status(seen());
  const second = status(seen(), { previous: first, now: LATER });
  assert.equal(condition(second, 'Ready').lastTransitionTime, condition(first, 'Ready').lastTransitionTime);
  const third = status(
    seen((component) => (component === 'chat' ? { readyReplicas: 0 } : {})),
    { previous: second, now: LATER },
  );
  assert.equal(condition(third, 'Ready').lastTransitionTime, '2026-01-02T04:00:00Z');
});

test('a spec that cannot be rendered: Ready false with the cause, the rest as it was', () => {
  const result = failedStatus({ generation: 2, previous: status(seen()), now: LATER }, 'RenderFailed', 'because');
  assert.equal(condition(result, 'Ready').reason, 'RenderFailed');
  assert.equal(condition(result, 'Rendered').status, 'False');
  assert.equal(condition(result, 'MigrationsReady').status, 'True');
  assert.equal(result.conditions?.filter(({ type }) => type === 'Ready').length, 1);
});

test('an object that the API server refuses: told first, and everything else is told as it is seen', () => {
  const refused = 'quota exceeded';
  const result = status(
    seen((component) => (component === 'chat' ? { readyReplicas: 2 } : {})),
    { refused, missing: ['a Secret is missing'] },
  );
  for (const [type, value] of [
    ['Ready', 'False'],
    ['Degraded', 'True'],
  ] as const) {
    const { status: is, reason, message } = condition(result, type);
    assert.deepEqual([is, reason, message], [value, 'ApplyFailed', 'The API server refused an object: quota exceeded.']);
  }
  assert.deepEqual([condition(result, 'Available').status, condition(result, 'MigrationsReady').status], ['True', 'True']);
  assert.equal(result.readyReplicas, 2);
  assert.deepEqual([condition(result, 'Progressing').status, condition(result, 'Progressing').reason], ['True', 'Converging']);
});
