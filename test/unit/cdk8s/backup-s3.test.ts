// Backups with a bucket: the dump comes first, the copy sees no database, and a cluster without a bucket has nothing of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@parley/kit/process';
import type { KubeObject } from '@parley/cdk8s';
import { secretRefs } from '../../../operator/src/secrets/refs.ts';
import { backupsConfig } from '../../../services/backups/src/config.ts';
import { find, objectsOf, planOf, workloads, type Container, type PodSpec } from './rendered.ts';

const s3 = (more: object = {}) => ({ bucket: 'chat-backups', credentialsSecretRef: { name: 'bucket' }, ...more });
const OWN = s3({ endpoint: 'https://minio.example:9000', caSecretRef: { name: 'authority', key: 'root.pem' } });

interface JobSpec {
  podFailurePolicy?: { rules: { action: string; onExitCodes: { containerName: string; operator: string; values: number[] } }[] };
  backoffLimit: number;
}
const jobOf = (objects: KubeObject[], server: string) =>
  (find(objects, 'CronJob', `demo-backup-${server}`)['spec'] as { jobTemplate: { spec: JobSpec } }).jobTemplate.spec;
const podOf = (objects: KubeObject[], server: string): PodSpec =>
  workloads(objects).find(({ object }) => object.metadata.name === `demo-backup-${server}`)?.pod ?? assert.fail(server);
const env = ({ env: list = [] }: Container) => Object.fromEntries(list.map(({ name, value }) => [name, value]));
const mounts = ({ volumeMounts = [] }: Container) => volumeMounts.map(({ name }) => name);

function parts(spec: object, server = 'mysql'): { dump: Container; copy: Container; pod: PodSpec } {
  const pod = podOf(objectsOf({ backup: { s3: spec } }), server);
  const [dump, ...more] = pod.initContainers ?? [];
  const [copy, ...others] = pod.containers;
  assert.deepEqual([more, others], [[], []]);
  return { dump: dump ?? assert.fail(), copy: copy ?? assert.fail(), pod };
}

test('the dump is what it is without a bucket, and comes before the copy', () => {
  for (const server of ['mysql', 'postgres']) {
    const { dump, copy } = parts(s3(), server);
    assert.deepEqual(dump, podOf(objectsOf({ backup: {} }), server).containers[0]);
    assert.equal(copy.name, 'copy');
    assert.equal(copy.image, 'docker.io/parley/services:0.1.0');
    assert.deepEqual(copy.args, ['copy']);
  }
  assert.equal(podOf(objectsOf({ backup: {} }), 'mysql').initContainers, undefined);
});

test('the copy is restricted as every container, has the volume and the key, and nothing of the database', () => {
  const { dump, copy, pod } = parts(OWN);
  assert.deepEqual(copy.securityContext, dump.securityContext);
  assert.equal(copy.securityContext.readOnlyRootFilesystem, true);
  assert.ok(copy.resources.requests['memory'] && copy.resources.limits['memory']);
  assert.deepEqual(mounts(copy), ['tmp', 'backup', 's3-access-key-id', 's3-secret-access-key', 's3-ca']);
  assert.ok(mounts(dump).every((name) => !name.startsWith('s3-')));
  for (const container of [dump, copy])
    for (const name of mounts(container))
      assert.ok(
        pod.volumes?.some((volume) => volume.name === name),
        name,
      );
  assert.deepEqual(
    pod.volumes?.flatMap(({ secret }) => (secret ? [[secret.secretName, secret.items.map(({ key }) => key)]] : [])),
    [
      ['demo-mysql', ['password']],
      ['bucket', ['accessKeyId']],
      ['bucket', ['secretAccessKey']],
      ['authority', ['root.pem']],
    ],
  );
  assert.ok(copy.env?.every(({ valueFrom }) => valueFrom === undefined));
  // The image knows no user 999: without a home of its own the SDK of AWS fails.
  assert.equal(env(copy)['HOME'], '/tmp');
});

test('the variables are those that the program reads', () => {
  const read = (spec: object, server = 'mysql') => {
    const variables = env(parts(spec, server).copy);
    for (const name of Object.keys(variables).filter((each) => each.endsWith('_FILE')))
      assert.match(variables[name] ?? '', /^\/run\/secrets\/parley\/s3-/);
    return loadConfig(backupsConfig, variables, (path) => path);
  };
  const aws = read(s3({ region: 'eu-central-1' }));
  assert.deepEqual(
    [aws.s3Endpoint, aws.s3Region, aws.s3Bucket, aws.s3Prefix, aws.s3ForcePathStyle, aws.s3Ca, aws.keep, aws.backupDir],
    ['', 'eu-central-1', 'chat-backups', 'team/demo/mysql', false, undefined, 7, '/backup/mysql'],
  );
  const own = read({ ...OWN, prefix: 'chat/production' }, 'postgres');
  assert.deepEqual(
    [own.s3Endpoint, own.s3Prefix, own.s3ForcePathStyle, own.backupDir],
    ['https://minio.example:9000', 'chat/production/postgres', true, '/backup/postgres'],
  );
  assert.deepEqual(
    [own.s3AccessKeyId, own.s3SecretAccessKey, own.s3Ca],
    [
      '/run/secrets/parley/s3-access-key-id/accessKeyId',
      '/run/secrets/parley/s3-secret-access-key/secretAccessKey',
      '/run/secrets/parley/s3-ca/root.pem',
    ],
  );
  assert.equal(read({ ...OWN, forcePathStyle: false }).s3ForcePathStyle, false);
});

test('a copy that gave up is not tried with another dump, everything else is', () => {
  const objects = objectsOf({ backup: { s3: s3() } });
  for (const server of ['mysql', 'postgres']) {
    const { podFailurePolicy, backoffLimit } = jobOf(objects, server);
    const [rule, ...more] = podFailurePolicy?.rules ?? [];
    assert.deepEqual(more, []);
    assert.equal(rule?.action, 'FailJob');
    assert.deepEqual(rule.onExitCodes, { containerName: 'copy', operator: 'In', values: [1, 64, 78] });
    assert.equal(backoffLimit, 2);
  }
  assert.equal(jobOf(objectsOf({ backup: {} }), 'mysql').podFailurePolicy, undefined);
});

test('pods of backups reach the port of the endpoint, only with a bucket', () => {
  const ports = (backup: object) => {
    const { egress } = find(objectsOf({ backup }), 'NetworkPolicy', 'demo-backup')['spec'] as {
      egress: { to?: object[]; ports: { port: number }[] }[];
    };
    return egress.filter(({ to }) => !to).map((rule) => rule.ports.map(({ port }) => port));
  };
  assert.deepEqual(ports({}), [[53, 53]]);
  assert.deepEqual(ports({ s3: s3() }), [[53, 53], [443]]);
  assert.deepEqual(ports({ s3: OWN }), [[53, 53], [9000]]);
  assert.deepEqual(ports({ s3: s3({ endpoint: 'http://minio.minio', allowHttp: true }) }), [[53, 53], [80]]);
});

test('the operator looks for the Secrets that the bucket needs', () => {
  const named = (spec: object) => secretRefs(planOf({ backup: { s3: spec } })).map(({ field, name, key }) => `${field} ${name} ${key}`);
  assert.deepEqual(named(s3()), [
    'backup.s3.credentialsSecretRef bucket accessKeyId',
    'backup.s3.credentialsSecretRef bucket secretAccessKey',
  ]);
  assert.ok(named(OWN).includes('backup.s3.caSecretRef authority root.pem'));
  assert.deepEqual(secretRefs(planOf({ backup: {} })), []);
});
