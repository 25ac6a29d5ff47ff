// Three Redis servers with Sentinels, as objects. What they do as processes is in test/integration/redis.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { loadConfig } from '@parley/kit/process';
import { redisUrl, sentinelTarget } from '@parley/kit/redis';
import { Type } from '@sinclair/typebox';
import { secretsOf, type KubeObject } from '@parley/cdk8s';
import { find, objectsOf, planOf, type PodSpec } from './rendered.ts';

const THREE = { redis: { replicas: 3 } };
const HOSTS = [0, 1, 2].map((index) => `demo-redis-${index}.demo-redis.team.svc.cluster.local`);

interface Set {
  replicas: number;
  podManagementPolicy: string;
  updateStrategy: { type: string };
  template: { spec: PodSpec & { topologySpreadConstraints?: { labelSelector: object; topologyKey: string }[] } };
}
const setOf = (spec: object) => find(objectsOf(spec), 'StatefulSet', 'demo-redis')['spec'] as Set;
const secretOf = (spec: object): Record<string, string> =>
  secretsOf(planOf(spec))
    .find(({ name }) => name === 'demo-redis')
    ?.make(randomBytes) ?? {};

test('one Redis stays as it was: one container, no Sentinel, no budget, no scripts', () => {
  const { replicas, template } = setOf({});
  assert.equal(replicas, 1);
  assert.deepEqual(
    template.spec.containers.map(({ name, command }: { name: string; command?: string[] }) => [name, command]),
    [['redis', ['redis-server', '/run/secrets/redis/redis.conf']]],
  );
  assert.equal(template.spec.topologySpreadConstraints, undefined);
  const of = (object: KubeObject) => object.metadata.name === 'demo-redis' && object.kind;
  assert.deepEqual(objectsOf({}).map(of).filter(Boolean).sort(), ['NetworkPolicy', 'Service', 'StatefulSet']);
  assert.deepEqual(Object.keys(secretOf({})), ['url', 'password', 'redis.conf']);
});

test('three Redis servers start at once, are replaced one by one, and hand over before they end', () => {
  const { replicas, podManagementPolicy, updateStrategy, template } = setOf(THREE);
  assert.deepEqual([replicas, podManagementPolicy, updateStrategy.type], [3, 'Parallel', 'RollingUpdate']);
  const [redis, sentinel] = template.spec.containers as (PodSpec['containers'][number] & {
    command: string[];
    lifecycle?: { preStop: { exec: { command: string[] } } };
  })[];
  assert.deepEqual(redis?.command, ['sh', '/scripts/start-redis.sh']);
  assert.deepEqual(redis?.lifecycle?.preStop.exec.command, ['sh', '/scripts/stop-redis.sh']);
  assert.deepEqual(sentinel?.command, ['sh', '/scripts/start-sentinel.sh']);
  assert.deepEqual(sentinel?.ports, [{ name: 'sentinel', containerPort: 26379 }]);
  assert.ok(template.spec.terminationGracePeriodSeconds > 2 + 25);
  for (const { env = [] } of template.spec.containers) {
    const values = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    assert.equal(values['SENTINELS'], HOSTS.map((host) => `${host}:26379`).join(' '));
    assert.equal(values['FIRST_PRIMARY'], `${HOSTS[0]}:6379`);
    assert.equal(values['SELF'], '$(POD_NAME).demo-redis.team.svc.cluster.local');
    const position = (name: string) => env.findIndex((each) => each.name === name);
    assert.ok(position('POD_NAME') < position('SELF'), 'a variable is only replaced by those before it');
  }
});

test('they are found before they are ready, spread over nodes, and drained one at a time', () => {
  const objects = objectsOf(THREE);
  const service = find(objects, 'Service', 'demo-redis')['spec'] as Record<string, unknown>;
  assert.deepEqual([service['clusterIP'], service['publishNotReadyAddresses']], ['None', true]);
  assert.equal((find(objects, 'PodDisruptionBudget', 'demo-redis')['spec'] as { maxUnavailable: number }).maxUnavailable, 1);
  const [spread] = setOf(THREE).template.spec.topologySpreadConstraints ?? [];
  assert.equal(spread?.topologyKey, 'kubernetes.io/hostname');
  const zones = { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' };
  const [asked] = setOf({ redis: { replicas: 3, topologySpread: zones } }).template.spec.topologySpreadConstraints ?? [];
  assert.deepEqual(asked, { ...zones, labelSelector: spread?.labelSelector });
});

test('the Secret names every Sentinel, and both servers ask for its password', () => {
  const { url = '', password = '', 'node.conf': node = '', 'sentinel.conf': sentinel = '' } = secretOf(THREE);
  assert.equal(loadConfig(Type.Object({ redisUrl: redisUrl('a test') }), { REDIS_URL: url }, () => '').redisUrl, url);
  assert.deepEqual(sentinelTarget(url), {
    sentinels: HOSTS.map((host) => ({ host, port: 26379 })),
    ...{ name: 'parley-primary', db: 0, tls: false, password, sentinelPassword: password },
  });
  for (const line of [`requirepass ${password}`, `masterauth ${password}`, 'min-replicas-to-write 1', 'appendonly yes'])
    assert.ok(node.split('\n').includes(line), line);
  for (const line of [
    `requirepass ${password}`,
    `sentinel sentinel-pass ${password}`,
    `sentinel auth-pass parley-primary ${password}`,
    'sentinel resolve-hostnames yes',
    'sentinel announce-hostnames yes',
  ])
    assert.ok(sentinel.split('\n').includes(line), line);
  assert.ok(!('redis.conf' in secretOf(THREE)), 'a Secret of the other shape that was kept must not fit');
  assert.ok(!JSON.stringify(objectsOf(THREE)).includes(password));
});

test('services ask the Sentinels, and the servers each other; nobody else does', () => {
  interface Policy {
    ingress: { from: { podSelector: { matchLabels: Record<string, string> } }[]; ports: { port: number }[] }[];
    egress: { to?: { podSelector?: { matchLabels: Record<string, string> } }[]; ports?: { port: number }[] }[];
  }
  const policy = (component: string, spec: object) => find(objectsOf(spec), 'NetworkPolicy', `demo-${component}`)['spec'] as Policy;
  const component = (peer?: { podSelector?: { matchLabels: Record<string, string> } }) =>
    peer?.podSelector?.matchLabels['app.kubernetes.io/component'];
  const incoming = policy('redis', THREE).ingress.map(({ from, ports }) => [component(from[0]), ports.map(({ port }) => port)]);
  const both = [6379, 26379];
  assert.deepEqual(incoming, [
    ['chat', both],
    ['core', both],
    ['auth', both],
    ['gateway', both],
    ['worker', both],
    ['redis', both],
  ]);
  for (const from of ['chat', 'core', 'auth', 'gateway', 'worker', 'redis'])
    assert.ok(
      policy(from, THREE).egress.some(({ to, ports }) => component(to?.[0]) === 'redis' && ports?.some(({ port }) => port === 26379)),
      from,
    );
  assert.deepEqual(
    policy('redis', {}).ingress.map(({ ports }) => ports.map(({ port }) => port)),
    [[6379], [6379], [6379], [6379], [6379]],
  );
});

test('the scripts are shell that can be read, and hold nothing of a cluster', () => {
  const scripts = find(objectsOf(THREE), 'ConfigMap', 'demo-redis')['data'] as Record<string, string>;
  assert.deepEqual(Object.keys(scripts).sort(), [
    'primary.sh',
    'ready-redis.sh',
    'ready-sentinel.sh',
    'start-redis.sh',
    'start-sentinel.sh',
    'stop-redis.sh',
  ]);
  for (const [name, text] of Object.entries(scripts)) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' });
    assert.equal(status, 0, `${name}: ${stderr}`);
    assert.ok(!text.includes('demo'), name);
  }
});
