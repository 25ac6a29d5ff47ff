// The modes of Kafka in the manifests: what the worker is told, which objects there are, and who reaches what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { desired } from '@parley/cdk8s';
import { secretRefs } from '../../../operator/src/secrets/refs.ts';
import { find, objectsOf, planOf, workloads } from './rendered.ts';

const external = {
  mode: 'external',
  external: {
    bootstrapServers: ['one.example.com:9093', 'two.example.com:9093'],
    tls: { caSecretRef: { name: 'kafka-ca' } },
    authSecretRef: { name: 'kafka-login', mechanism: 'SCRAM-SHA-256' },
  },
};
const workerOf = (kafka: object) => {
  const { pod } = workloads([find(objectsOf({ kafka }), 'Deployment', 'demo-worker')])[0] ?? assert.fail();
  const env = Object.fromEntries((pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
  return { env, mounts: pod.containers[0]?.volumeMounts ?? [], volumes: pod.volumes ?? [] };
};
const strimzi = { mode: 'strimzi', brokers: 3 };
const withStrimzi = (kafka: object) => desired(planOf({ kafka }), { migrated: true, strimzi: true });

test('an external Kafka: the login and the authority come as files, and nothing of them is in the environment', () => {
  const { env, mounts, volumes } = workerOf(external);
  assert.equal(env['KAFKA_BROKERS'], 'one.example.com:9093,two.example.com:9093');
  assert.deepEqual([env['KAFKA_TLS'], env['KAFKA_SASL_MECHANISM']], ['true', 'SCRAM-SHA-256']);
  for (const [variable, secret, key] of [
    ['KAFKA_CA', 'kafka-ca', 'ca.crt'],
    ['KAFKA_USER', 'kafka-login', 'user'],
    ['KAFKA_PASSWORD', 'kafka-login', 'password'],
  ] as const) {
    const path = env[`${variable}_FILE`] ?? assert.fail(variable);
    const mount = mounts.find(({ mountPath }) => path === `${mountPath}/${key}`) ?? assert.fail(path);
    const volume = volumes.find(({ name }) => name === mount.name);
    assert.deepEqual([volume?.secret?.secretName, volume?.secret?.items[0]?.key], [secret, key]);
    assert.equal(env[variable], undefined);
  }
});

test('without a login and without TLS the worker is told nothing more than before', () => {
  const { env } = workerOf({ mode: 'external', external: { bootstrapServers: ['k:9092'] } });
  assert.deepEqual(
    Object.keys(env).filter((name) => name.startsWith('KAFKA')),
    ['KAFKA_BROKERS'],
  );
});

test('the Secrets of an external Kafka are looked for', () => {
  const refs = secretRefs(planOf({ kafka: external })).filter(({ field }) => field.startsWith('kafka'));
  assert.deepEqual(
    refs.map(({ field, name, key }) => `${field} ${name} ${key}`),
    [
      'kafka.external.tls.caSecretRef kafka-ca ca.crt',
      'kafka.external.authSecretRef kafka-login user',
      'kafka.external.authSecretRef kafka-login password',
    ],
  );
});

test('mode strimzi: two objects of Strimzi, no broker of our own, and they wait until the API server takes them', () => {
  const kinds = (objects: { kind: string }[]) => objects.map(({ kind }) => kind).filter((kind) => kind.startsWith('Kafka'));
  assert.deepEqual(kinds(objectsOf({ kafka: strimzi })), []);
  const objects = withStrimzi(strimzi);
  assert.deepEqual(kinds(objects).sort(), ['Kafka', 'KafkaNodePool']);
  assert.ok(!objects.some(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'demo-kafka'));
  const { kafka } = find(objects, 'Kafka', 'demo-kafka')['spec'] as { kafka: { config: Record<string, unknown> } };
  assert.deepEqual([kafka.config['default.replication.factor'], kafka.config['min.insync.replicas']], [3, 2]);
  assert.equal(workerOf(strimzi).env['KAFKA_BROKERS'], 'demo-kafka-kafka-bootstrap.team.svc.cluster.local:9092');
});

test('mode strimzi: placement, storage and resources reach the pool', () => {
  const tolerations = [{ key: 'chat', operator: 'Exists' }];
  const own = { tolerations, priorityClassName: 'important', podAnnotations: { team: 'chat' }, storage: { size: '7Gi', class: 'fast' } };
  const pool = find(withStrimzi({ ...strimzi, ...own }), 'KafkaNodePool', 'demo-kafka')['spec'] as {
    storage: { volumes: [object] };
    jvmOptions: Record<string, string>;
    template: { pod: Record<string, unknown> };
  };
  const { tolerations: taken, priorityClassName, metadata } = pool.template.pod;
  assert.deepEqual([taken, priorityClassName, metadata], [tolerations, 'important', { annotations: { team: 'chat' } }]);
  const volume = { id: 0, type: 'persistent-claim', size: '7Gi', class: 'fast', deleteClaim: false, kraftMetadata: 'shared' };
  assert.deepEqual(pool.storage.volumes, [volume]);
  assert.equal(pool.jvmOptions['-Xmx'], '256m');
});

test('mode strimzi: the worker may speak to the brokers of this Kafka alone', () => {
  const { egress } = find(withStrimzi(strimzi), 'NetworkPolicy', 'demo-worker')['spec'] as { egress: object[] };
  const rule = { to: [{ podSelector: { matchLabels: { 'strimzi.io/cluster': 'demo-kafka' } } }], ports: [{ protocol: 'TCP', port: 9092 }] };
  assert.ok(
    egress.some((each) => isDeepStrictEqual(each, rule)),
    JSON.stringify(egress),
  );
});
