// Fields of the spec that say where pods run, what they may use and how the entry looks: each arrives where it belongs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secretsOf } from '@parley/cdk8s';
import { find, objectsOf, planOf, workloads, type PodSpec } from './rendered.ts';

/** A part of the spec and its workload. */
const PARTS: [part: string, kind: 'StatefulSet' | 'Deployment', name: string][] = [
  ['chat', 'StatefulSet', 'demo-chat'],
  ['gateway', 'Deployment', 'demo-gateway'],
  ['auth', 'Deployment', 'demo-auth'],
  ['core', 'Deployment', 'demo-core'],
  ['worker', 'Deployment', 'demo-worker'],
  ['ingress', 'Deployment', 'demo-haproxy'],
  ['redis', 'StatefulSet', 'demo-redis'],
  ['kafka', 'StatefulSet', 'demo-kafka'],
  ['mysql', 'StatefulSet', 'demo-mysql'],
  ['postgres', 'StatefulSet', 'demo-postgres'],
];

interface Template {
  template: { metadata: { annotations?: Record<string, string> }; spec: PodSpec & Record<string, unknown> };
}
const templateOf = (spec: object, kind: string, name: string): Template['template'] =>
  (find(objectsOf(spec), kind, name)['spec'] as Template).template;

for (const [part, kind, name] of PARTS) {
  test(`${part}: placement and resources reach the pods of ${name}`, () => {
    const placement = {
      nodeSelector: { disk: 'fast' },
      tolerations: [{ key: 'chat', operator: 'Exists' }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      priorityClassName: 'important',
    };
    const own = { ...placement, podAnnotations: { team: 'chat' }, resources: { requests: { memory: '1Gi' }, limits: { memory: '4Gi' } } };
    const { metadata, spec } = templateOf({ [part]: own }, kind, name);
    for (const [field, value] of Object.entries(placement)) assert.deepEqual(spec[field], value, field);
    assert.equal(metadata.annotations?.['team'], 'chat');
    assert.equal(spec.containers[0]?.resources.limits['memory'], '4Gi');
    assert.equal(spec.containers[0]?.resources.requests['memory'], '1Gi');
  });
}

test('replicas are spread over the topology that the spec names', () => {
  const topologySpread = { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' };
  for (const [part, kind, name] of PARTS.filter(([part]) => !['redis', 'mysql', 'postgres'].includes(part))) {
    const { topologySpreadConstraints } = templateOf({ [part]: { topologySpread } }, kind, name).spec as {
      topologySpreadConstraints?: Record<string, unknown>[];
    };
    const [constraint, ...more] = topologySpreadConstraints ?? [];
    assert.equal(more.length, 0);
    const { labelSelector, ...rest } = constraint ?? {};
    assert.deepEqual(rest, topologySpread);
    assert.deepEqual(labelSelector, { matchLabels: find(objectsOf({}), kind, name)['spec'] && selectorOf(kind, name) });
  }
});
const selectorOf = (kind: string, name: string) =>
  (find(objectsOf({}), kind, name)['spec'] as { selector: { matchLabels: object } }).selector.matchLabels;

test('memory of the databases and of Kafka follows the limit', () => {
  const limits = (memory: string) => ({ resources: { limits: { memory } } });
  const args = (spec: object, name: string) => templateOf(spec, 'StatefulSet', name).spec.containers[0]?.args ?? [];
  const heap = (spec: object) =>
    templateOf(spec, 'StatefulSet', 'demo-kafka').spec.containers[0]?.env?.find(({ name }) => name === 'KAFKA_HEAP_OPTS')?.value;
  assert.ok(args({}, 'demo-mysql').includes('--innodb-buffer-pool-size=128M'));
  assert.ok(args({ mysql: limits('4Gi') }, 'demo-mysql').includes('--innodb-buffer-pool-size=1664M'));
  assert.ok(args({}, 'demo-postgres').includes('shared_buffers=64MB'));
  assert.ok(args({ postgres: limits('2Gi') }, 'demo-postgres').includes('shared_buffers=448MB'));
  assert.equal(heap({}), '-Xms128m -Xmx256m');
  assert.equal(heap({ kafka: limits('3Gi') }), '-Xms128m -Xmx1024m');
});

test('with TLS the certificate is mounted into HAProxy and followed beside it', () => {
  const spec = { ingress: { tls: { secretName: 'chat-tls' } } };
  const { containers, volumes } = templateOf(spec, 'Deployment', 'demo-haproxy').spec;
  assert.deepEqual(
    containers.map(({ name }) => name),
    ['haproxy', 'certificates'],
  );
  assert.deepEqual(volumes?.find(({ name }) => name === 'tls')?.secret?.secretName, 'chat-tls');
  for (const { volumeMounts } of containers) assert.ok(volumeMounts?.some(({ mountPath }) => mountPath === '/run/secrets/tls'));
  const config = (find(objectsOf(spec), 'ConfigMap', 'demo-haproxy')['data'] as Record<string, string>)['haproxy.cfg'] ?? '';
  assert.match(config, /bind \*:8085 ssl crt \/run\/secrets\/tls\/tls\.crt alpn http\/1\.1\n/);
  assert.match(config, /bind \*:8080 ssl crt \/run\/secrets\/tls\/tls\.crt alpn h2,http\/1\.1\n/);
  assert.ok(workloads(objectsOf({})).every(({ pod }) => pod.containers.every(({ name }) => name !== 'certificates')));
});

test('a login of the statistics page that the spec names is used, and none is made', () => {
  const spec = { ingress: { statsAuth: { secretRef: { name: 'own-login' } } } };
  const [haproxy] = templateOf(spec, 'Deployment', 'demo-haproxy').spec.containers;
  assert.deepEqual(new Set(haproxy?.env?.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name)), new Set(['own-login']));
  assert.ok(secretsOf(planOf({})).some(({ name }) => name === 'demo-stats'));
  assert.ok(!secretsOf(planOf(spec)).some(({ name }) => name === 'demo-stats'));
});

test('the Service in front of HAProxy takes the traffic policy', () => {
  const spec = { ingress: { service: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } } };
  assert.equal(
    (find(objectsOf(spec), 'Service', 'demo-haproxy')['spec'] as { externalTrafficPolicy: string }).externalTrafficPolicy,
    'Local',
  );
});
