// The status as a pure function of what is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatClusterStatus } from '@parley/operator-api';
import { componentsOf } from '@parley/cdk8s';
import type { KubeObject } from '../../../operator/src/kube/transport.ts';
import { failedStatus, statusFor, type Seen } from '../../../operator/src/status.ts';
import { planOf } from '../cdk8s/rendered.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const LATER = new Date('2026-01-02T04:00:00Z');
const plan = planOf({});

function seen(change: (component: string) => Partial<Record<string, number>> | undefined = () => ({})): Seen[] {
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

const status = (parts: Seen[], more: { previous?: ChatClusterStatus; paused?: boolean; now?: Date; generation?: number } = {}) =>
  statusFor({ generation: 1, previous: undefined, plan, seen: parts, paused: false, now: NOW, ...more });
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

test('nothing exists yet: nothing is claimed', () => {
  const result = status(seen(() => undefined));
  assert.equal(condition(result, 'Ready').status, 'False');
  assert.equal(condition(result, 'Available').status, 'False');
  assert.equal(result.replicas, 0);
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
