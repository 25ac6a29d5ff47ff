// Backups as objects: what runs when, on which volume, with which rights, and that the documented way back fits what is rendered.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CLUSTER_RULES, secretsOf, type KubeObject } from '@parley/cdk8s';
import { parseAllDocuments } from 'yaml';
import { find, objectsOf, planOf, workloads, type PodSpec, type Workload } from './rendered.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const external = { mode: 'external', external: { urlSecretRef: { name: 'mine' } } };

interface CronJob {
  schedule: string;
  timeZone: string;
  suspend: boolean;
  concurrencyPolicy: string;
  startingDeadlineSeconds: number;
  successfulJobsHistoryLimit: number;
  failedJobsHistoryLimit: number;
  jobTemplate: { spec: { backoffLimit: number; activeDeadlineSeconds: number } };
}
const cronJob = (objects: KubeObject[], server: string) => find(objects, 'CronJob', `demo-backup-${server}`)['spec'] as CronJob;
const names = (objects: KubeObject[]) => objects.filter(isOfBackup).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const isOfBackup = ({ metadata }: KubeObject) => metadata.name.startsWith('demo-backup');
const podsOfBackup = (objects: KubeObject[]): Workload[] => workloads(objects).filter(({ object }) => object.kind === 'CronJob');
const env = (pod: PodSpec) => Object.fromEntries((pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));

test('without spec.backup there is nothing of it', () => {
  assert.deepEqual(names(objectsOf({})), []);
});

test('each database of our own has a CronJob, which ends runs that hang and never runs twice at once', () => {
  const objects = objectsOf({ backup: {} });
  assert.deepEqual(names(objects), [
    'NetworkPolicy demo-backup',
    'PersistentVolumeClaim demo-backup',
    'ConfigMap demo-backup',
    'CronJob demo-backup-mysql',
    'CronJob demo-backup-postgres',
  ]);
  for (const server of ['mysql', 'postgres']) {
    const { jobTemplate, ...spec } = cronJob(objects, server);
    assert.deepEqual(
      { ...spec, backoffLimit: jobTemplate.spec.backoffLimit, deadline: jobTemplate.spec.activeDeadlineSeconds },
      {
        schedule: '0 3 * * *',
        timeZone: 'Etc/UTC',
        suspend: false,
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 3,
        backoffLimit: 2,
        deadline: 21_600,
      },
    );
  }
});

test('everything else is rendered before it and stays as it is', () => {
  const without = objectsOf({});
  const others = objectsOf({ backup: {} }).filter((object) => !isOfBackup(object));
  const open = (objects: KubeObject[]) => objects.filter(({ kind }) => kind !== 'NetworkPolicy');
  assert.equal(JSON.stringify(open(others)), JSON.stringify(open(without)));
  assert.deepEqual(objectsOf({ backup: {} }).slice(-4).map(isOfBackup), [true, true, true, true]);
});

test('schedule, number, volume and resources are those of the spec', () => {
  const backup = {
    schedule: '@weekly',
    keep: 30,
    storage: { size: '1Ti', class: 'slow' },
    resources: { limits: { memory: '2Gi' } },
  };
  const objects = objectsOf({ backup });
  for (const { pod } of podsOfBackup(objects)) {
    assert.equal(env(pod)['KEEP'], '30');
    assert.equal(pod.containers[0]?.resources.limits['memory'], '2Gi');
    assert.equal(pod.containers[0]?.resources.requests['memory'], '64Mi');
  }
  assert.equal(cronJob(objects, 'postgres').schedule, '@weekly');
  assert.deepEqual(find(objects, 'PersistentVolumeClaim', 'demo-backup')['spec'], {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Ti' } },
    storageClassName: 'slow',
  });
});

test('a database that is external is left out', () => {
  assert.deepEqual(
    podsOfBackup(objectsOf({ mysql: external, backup: {} })).map(({ object }) => object.metadata.name),
    ['demo-backup-postgres'],
  );
  assert.deepEqual(
    podsOfBackup(objectsOf({ postgres: external, backup: {} })).map(({ object }) => object.metadata.name),
    ['demo-backup-mysql'],
  );
});

test('a dump is made by the programs of the server’s own image, with its flavor', () => {
  for (const [flavor, program] of [
    ['mysql', 'mysqldump'],
    ['mariadb', 'mariadb-dump'],
  ] as const) {
    const objects = objectsOf({ mysql: { flavor }, backup: {} });
    const image = (kind: string, name: string) =>
      workloads(objects).find(({ object }) => object.kind === kind && object.metadata.name === name)?.pod.containers[0]?.image;
    for (const server of ['mysql', 'postgres'])
      assert.equal(image('CronJob', `demo-backup-${server}`), image('StatefulSet', `demo-${server}`), server);
    const scripts = find(objects, 'ConfigMap', 'demo-backup')['data'] as Record<string, string>;
    assert.match(scripts['backup-mysql.sh'] ?? '', new RegExp(`^${program} --defaults-file`, 'm'));
  }
});

test('the pods share the volume on one node and get the password as a file, not as a variable or argument', () => {
  for (const { object, pod } of podsOfBackup(objectsOf({ backup: {} }))) {
    const { affinity } = pod as PodSpec & {
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { labelSelector: { matchLabels: object } }[] } };
    };
    const [term] = affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    assert.deepEqual(term?.labelSelector.matchLabels, {
      'app.kubernetes.io/name': 'parley',
      'app.kubernetes.io/instance': 'demo',
      'app.kubernetes.io/component': 'backup',
    });
    const secret = object.metadata.name.replace('-backup', '');
    assert.deepEqual(
      pod.volumes?.flatMap((volume) => (volume.secret ? [[volume.secret.secretName, volume.secret.items.map(({ key }) => key)]] : [])),
      [[secret, ['password']]],
    );
    assert.equal(env(pod)['PASSWORD_FILE'], '/run/secrets/server/password');
    assert.ok(pod.containers[0]?.env?.every(({ valueFrom }) => valueFrom === undefined));
  }
});

test('the operator may make the volume, and may not delete one', () => {
  const { verbs } = CLUSTER_RULES.find(({ resources }) => resources.includes('persistentvolumeclaims')) ?? assert.fail();
  assert.deepEqual(verbs, ['create', 'list', 'patch', 'watch']);
});

/** What stands in the fences of the page. */
function documentedJobs(): { metadata: { name: string }; pod: PodSpec; labels: Record<string, string> }[] {
  const page = readFileSync(join(root, 'docs', 'operating', 'backup-and-restore.md'), 'utf8');
  return [...page.matchAll(/^ {3}```yaml\n(.*?)^ {3}```$/gms)].flatMap(([, text = '']) =>
    parseAllDocuments(text).map((document) => {
      const { metadata, spec } = document.toJS() as {
        metadata: { name: string };
        spec: { template: { metadata: { labels: Record<string, string> }; spec: PodSpec } };
      };
      return { metadata, pod: spec.template.spec, labels: spec.template.metadata.labels };
    }),
  );
}

test('the documented Jobs of a restore name what a ChatCluster consists of, and may do what a backup may', () => {
  const objects = objectsOf({ backup: {} });
  const jobs = documentedJobs();
  assert.deepEqual(
    jobs.map(({ metadata }) => metadata.name),
    ['demo-restore-mysql', 'demo-restore-postgres'],
  );
  const migration = workloads(objects).find(({ object }) => object.kind === 'Job')?.pod.containers ?? [];
  const secrets = new Map(secretsOf(planOf({})).map(({ name, make }) => [name, Object.keys(make(randomBytes))]));
  for (const { metadata, pod, labels } of jobs) {
    const server = metadata.name.replace('demo-restore-', '');
    const backup = podsOfBackup(objects).find(({ object }) => object.metadata.name === `demo-backup-${server}`) ?? assert.fail(server);
    // The network policy goes by them.
    for (const name of ['name', 'instance', 'component'])
      assert.equal(labels[`app.kubernetes.io/${name}`], backup.podLabels[`app.kubernetes.io/${name}`]);
    const [restore, ...others] = [...(pod.initContainers ?? []), ...pod.containers];
    const [original] = backup.pod.containers;
    assert.equal(restore?.image, original?.image);
    assert.deepEqual((restore as { command?: string[] }).command, ['bash', `/scripts/restore-${server}.sh`]);
    const scripts = find(objects, 'ConfigMap', 'demo-backup')['data'] as Record<string, string>;
    assert.ok(scripts[`restore-${server}.sh`]);
    const variables = Object.fromEntries((restore?.env ?? []).map(({ name, value }) => [name, value]));
    const { DATABASE_HOST = '', DATABASE_PORT, PASSWORD_FILE, BACKUP_DIR } = env(backup.pod);
    assert.equal(variables['DATABASE_HOST'], DATABASE_HOST.split('.')[0]);
    assert.deepEqual(
      [variables['DATABASE_PORT'], variables['PASSWORD_FILE'], variables['BACKUP_DIR']],
      [DATABASE_PORT, PASSWORD_FILE, BACKUP_DIR],
    );
    for (const { image } of others) assert.equal(image, migration[0]?.image);
    const entry = (migration[server === 'mysql' ? 0 : 1] as { command?: string[] } | undefined)?.command?.at(-1);
    assert.ok(
      others.some((container) => (container as { command?: string[] }).command?.at(-1) === entry),
      entry,
    );
    for (const container of others) {
      const file = ((container as { command?: string[] }).command?.at(-1) ?? '').replace('/dist/', '/src/').replace(/js$/, 'ts');
      assert.ok(readFileSync(join(root, file), 'utf8').length > 0);
    }
    const text = JSON.stringify(pod.volumes);
    assert.match(text, /"configMap":\{"name":"demo-backup"\}.*"claimName":"demo-backup"/);
    const secret = pod.volumes?.find((volume) => volume.secret)?.secret?.secretName ?? '';
    assert.deepEqual(
      secrets.get(secret)?.filter((key) => ['url', 'password'].includes(key)),
      ['url', 'password'],
    );
    assert.deepEqual(pod.securityContext, backup.pod.securityContext);
    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
      assert.deepEqual(container.securityContext, original?.securityContext);
      for (const { name } of container.volumeMounts ?? [])
        assert.ok(
          pod.volumes?.some((volume) => volume.name === name),
          name,
        );
    }
  }
});
