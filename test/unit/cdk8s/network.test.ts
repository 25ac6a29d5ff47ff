// NetworkPolicies: nothing is open that is not asked for, and everybody reaches what the environment names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@parley/cdk8s';
import { find, objectsOf, workloads } from './rendered.ts';

interface PolicyRule {
  from?: { podSelector?: { matchLabels: Record<string, string> } }[];
  to?: { podSelector?: { matchLabels: Record<string, string> } }[];
  ports?: { port: number; protocol: string }[];
}

const EVERYTHING = { monitoring: { prometheus: 'builtin' }, backup: {} };
const policyOf = (objects: KubeObject[], component: string) =>
  find(objects, 'NetworkPolicy', `demo-${component}`)['spec'] as { policyTypes: string[]; ingress?: PolicyRule[]; egress?: PolicyRule[] };

function allowed(objects: KubeObject[], from: string, to: string, port: number): boolean {
  const matches = (rules: PolicyRule[] = [], side: 'from' | 'to', component: string) =>
    rules.some(
      (rule) =>
        (!rule.ports || rule.ports.some((each) => each.port === port)) &&
        (!rule[side] || rule[side].some((peer) => peer.podSelector?.matchLabels['app.kubernetes.io/component'] === component)),
    );
  return matches(policyOf(objects, to).ingress, 'from', from) && matches(policyOf(objects, from).egress, 'to', to);
}

test('every pod is under a policy for both directions', () => {
  const objects = objectsOf(EVERYTHING);
  for (const { podLabels } of workloads(objects))
    assert.deepEqual(policyOf(objects, podLabels['app.kubernetes.io/component'] ?? '').policyTypes, ['Ingress', 'Egress']);
});

test('HAProxy reaches the public and the admin port of what it balances', () => {
  const objects = objectsOf(EVERYTHING);
  for (const [component, port] of [
    ['chat', 8084],
    ['core', 8082],
    ['gateway', 8080],
  ] as const) {
    assert.ok(allowed(objects, 'haproxy', component, port), component);
    assert.ok(allowed(objects, 'haproxy', component, 9464), component);
  }
});

test('services reach their servers, and each other where they call', () => {
  const objects = objectsOf(EVERYTHING);
  for (const [from, to, port] of [
    ['chat', 'mysql', 3306],
    ['chat', 'redis', 6379],
    ['chat', 'auth', 8081],
    ['core', 'mysql', 3306],
    ['core', 'postgres', 5432],
    ['core', 'redis', 6379],
    ['core', 'auth', 8081],
    ['auth', 'postgres', 5432],
    ['auth', 'redis', 6379],
    ['gateway', 'auth', 8081],
    ['gateway', 'core', 8082],
    ['gateway', 'redis', 6379],
    ['gateway', 'worker', 8079],
    ['worker', 'mysql', 3306],
    ['worker', 'redis', 6379],
    ['worker', 'postgres', 5432],
    ['worker', 'kafka', 9092],
    ['migrate', 'mysql', 3306],
    ['migrate', 'postgres', 5432],
    ['backup', 'mysql', 3306],
    ['backup', 'postgres', 5432],
    ['kafka', 'kafka', 9093],
  ] as const)
    assert.ok(allowed(objects, from, to, port), `${from} -> ${to}:${port}`);
});

test('nobody reaches what it has no business with', () => {
  const objects = objectsOf(EVERYTHING);
  for (const [from, to, port] of [
    ['haproxy', 'mysql', 3306],
    ['gateway', 'mysql', 3306],
    ['gateway', 'postgres', 5432],
    ['chat', 'postgres', 5432],
    ['chat', 'kafka', 9092],
    ['haproxy', 'worker', 8079],
    ['worker', 'core', 8082],
    ['prometheus', 'mysql', 3306],
    ['backup', 'redis', 6379],
    ['backup', 'core', 8082],
    ['prometheus', 'chat', 8084],
    ['gateway', 'chat', 8084],
  ] as const)
    assert.ok(!allowed(objects, from, to, port), `${from} -> ${to}:${port}`);
});

test('Prometheus reaches the metrics of every part', () => {
  const objects = objectsOf(EVERYTHING);
  for (const component of ['chat', 'core', 'auth', 'gateway', 'worker'])
    assert.ok(allowed(objects, 'prometheus', component, 9464), component);
  assert.ok(allowed(objects, 'prometheus', 'haproxy', 8404));
});

test('the operator reaches the admin port of every service, from its own namespace only', () => {
  const objects = objectsOf({});
  for (const component of ['chat', 'core', 'auth', 'gateway', 'worker']) {
    const rule = policyOf(objects, component).ingress?.find(({ from }) => JSON.stringify(from).includes('"parley-system"'));
    assert.deepEqual(rule?.ports, [{ port: 9464, protocol: 'TCP' }], component);
  }
});

test('webhooks reach the internet and no private address', () => {
  const blocks = (policyOf(objectsOf({}), 'worker').egress ?? []).flatMap(({ to = [] }) =>
    to.flatMap((peer) => ('ipBlock' in peer ? [peer.ipBlock as { cidr: string; except: string[] }] : [])),
  );
  assert.deepEqual(
    blocks.map(({ cidr }) => cidr),
    ['0.0.0.0/0', '::/0'],
  );
  for (const range of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16']) assert.ok(blocks[0]?.except.includes(range));
});

test('every pod may ask for names', () => {
  const objects = objectsOf(EVERYTHING);
  for (const { podLabels } of workloads(objects)) {
    const { egress } = policyOf(objects, podLabels['app.kubernetes.io/component'] ?? '');
    assert.ok(egress?.some(({ to, ports }) => !to && ports?.some(({ port, protocol }) => port === 53 && protocol === 'UDP')));
  }
});

test('networkPolicy.enabled false leaves all policies out', () => {
  assert.ok(!objectsOf({ networkPolicy: { enabled: false } }).some(({ kind }) => kind === 'NetworkPolicy'));
});

test('key sets and the receiver of notifications are reached on their ports, webhooks in private ranges only when asked for', () => {
  const issuers = [{ issuer: 'https://id.example.org', jwksUrl: 'https://id.example.org:8443/keys', userIdMin: 1000 }];
  const notifications = { url: 'http://push.internal/parley', secretRef: { name: 'push' } };
  const objects = objectsOf({ auth: { issuers }, worker: { notifications } });
  const open = (from: KubeObject[], component: string) =>
    (policyOf(from, component).egress ?? [])
      .filter(({ to }) => !to)
      .flatMap(({ ports }) => (ports ?? [{ port: 0 }]).map(({ port }) => port));
  for (const component of ['chat', 'core', 'gateway']) assert.deepEqual(open(objects, component), [53, 53, 8443], component);
  assert.deepEqual(open(objects, 'worker'), [53, 53, 80]);
  assert.deepEqual(open(objects, 'auth'), [53, 53]);
  assert.deepEqual(open(objectsOf({ worker: { webhooks: { allowPrivate: true } } }), 'worker'), [53, 53, 0]);
});

test('the collector of traces is reached by every service, on its port', () => {
  const objects = objectsOf({ monitoring: { tracing: { endpoint: 'http://collector.observability.svc:4318' } } });
  for (const component of ['chat', 'core', 'gateway', 'auth', 'worker']) {
    const open = (policyOf(objects, component).egress ?? [])
      .filter(({ to }) => !to)
      .flatMap(({ ports }) => (ports ?? []).map(({ port }) => port));
    assert.ok(open.includes(4318), component);
  }
});
