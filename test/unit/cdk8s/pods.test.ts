// Properties of every pod of every sample: restricted Pod Security, resources, secrets, names.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { NAMESPACED, operatorObjects, secretsOf, type KubeObject } from '@parley/cdk8s';
import { objectsOf, planOf, renderedSamples, VERSION, workloads, type Workload } from './rendered.ts';

/** uids of the images: node, haproxy, redis/mysql/postgres and their backups, kafka, prometheus. */
const UIDS: Record<string, number> = { haproxy: 99, redis: 999, mysql: 999, postgres: 999, backup: 999, kafka: 1000, prometheus: 65_534 };

function eachWorkload(check: (workload: Workload, where: string) => void): void {
  for (const { sample, objects } of [
    ...renderedSamples().map(({ sample, objects }) => ({ sample: sample.file, objects })),
    { sample: 'install.yaml', objects: operatorObjects(VERSION) },
    { sample: 'install-namespaced.yaml', objects: operatorObjects(VERSION, NAMESPACED) },
  ])
    for (const workload of workloads(objects)) check(workload, `${sample} ${workload.object.kind}/${workload.object.metadata.name}`);
}

test('every pod obeys the restricted Pod Security profile', () => {
  eachWorkload(({ pod }, where) => {
    assert.equal(pod.securityContext.runAsNonRoot, true, where);
    assert.ok(pod.securityContext.runAsUser > 0, where);
    assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault', where);
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
      assert.equal(container.securityContext.allowPrivilegeEscalation, false, where);
      assert.equal(container.securityContext.readOnlyRootFilesystem, true, where);
      assert.deepEqual(container.securityContext.capabilities.drop, ['ALL'], where);
    }
  });
});

test('every pod runs as the user its image was made for', () => {
  eachWorkload(({ pod, podLabels }, where) => {
    const expected = UIDS[podLabels['app.kubernetes.io/component'] ?? ''] ?? 1000;
    assert.equal(pod.securityContext.runAsUser, expected, where);
    assert.equal(pod.securityContext.fsGroup, expected, where);
  });
});

test('no pod but the operator’s gets a service-account token, none gets service links', () => {
  eachWorkload(({ pod, object }, where) => {
    if (object.metadata.name !== 'parley-operator') assert.equal(pod.automountServiceAccountToken, false, where);
    assert.equal(pod.enableServiceLinks, false, where);
  });
});

test('every container has requests, a memory limit and a pull policy that finds loaded images', () => {
  eachWorkload(({ pod }, where) => {
    for (const { resources, imagePullPolicy, image } of pod.containers) {
      assert.ok(resources.requests['cpu'] && resources.requests['memory'], where);
      assert.ok(resources.limits['memory'], where);
      assert.equal(imagePullPolicy, 'IfNotPresent', where);
      assert.match(image, /:[^:/]+$/, `${where}: an image without a tag is pulled anew each time`);
    }
  });
});

test('every long-running container has a readiness probe', () => {
  eachWorkload(({ pod, object }, where) => {
    if (object.kind === 'Job' || object.kind === 'CronJob') return;
    // HAProxy serves on with the certificate it has, whatever becomes of its follower.
    for (const { name, readinessProbe } of pod.containers) assert.ok(readinessProbe ?? name === 'certificates', where);
  });
});

test('every mount has its volume', () => {
  eachWorkload(({ pod, object }, where) => {
    const claims = ((object['spec'] as { volumeClaimTemplates?: { metadata: { name: string } }[] }).volumeClaimTemplates ?? []).map(
      ({ metadata }) => metadata.name,
    );
    const volumes = new Set([...(pod.volumes ?? []).map(({ name }) => name), ...claims]);
    for (const { volumeMounts } of pod.containers)
      for (const { name } of volumeMounts ?? []) assert.ok(volumes.has(name), `${where}: ${name}`);
  });
});

test('requests of the demo fit a machine with two cores beside the cluster itself', () => {
  const { objects } = renderedSamples().find(({ sample }) => sample.name === 'demo') ?? assert.fail();
  const millis = (cpu: string) => (cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000);
  const mebibytes = (memory: string) => (memory.endsWith('Gi') ? Number(memory.slice(0, -2)) * 1024 : Number(memory.slice(0, -2)));
  let cpu = 0;
  let memory = 0;
  for (const { pod, replicas = 1 } of workloads(objects))
    for (const { resources } of pod.containers) {
      cpu += replicas * millis(resources.requests['cpu'] ?? '0');
      memory += replicas * mebibytes(resources.requests['memory'] ?? '0Mi');
    }
  // The control plane of kind requests about 950m of the two cores.
  assert.ok(cpu <= 1000, `${cpu}m`);
  assert.ok(memory <= 4096, `${memory}Mi`);
});

test('every Secret that a pod mounts or reads is generated or named by the user', () => {
  for (const { sample, objects } of renderedSamples()) {
    const generated = new Map(
      secretsOf(planOf(sample.spec, { name: sample.name })).map(({ name, make }) => [name, Object.keys(make(randomBytes))]),
    );
    for (const { pod } of workloads(objects)) {
      const used = [
        ...(pod.volumes ?? []).flatMap(({ secret }) => (secret?.items ?? []).map(({ key }) => [secret?.secretName ?? '', key] as const)),
        ...pod.containers.flatMap(({ env }) =>
          (env ?? []).flatMap(({ valueFrom }) =>
            valueFrom?.secretKeyRef ? [[valueFrom.secretKeyRef.name, valueFrom.secretKeyRef.key] as const] : [],
          ),
        ),
      ];
      for (const [name, key] of used) {
        if (JSON.stringify(sample.spec).match(`"(name|secretName)":"${name}"`)) continue;
        assert.ok(generated.get(name)?.includes(key), `${sample.file}: Secret ${name} has no key ${key}`);
      }
    }
  }
});

test('no rendered object holds a Secret or a secret’s value', () => {
  const plan = planOf({ monitoring: { prometheus: 'builtin' } });
  const text = JSON.stringify(objectsOf({ monitoring: { prometheus: 'builtin' } }));
  assert.ok(!objectsOf({}).some(({ kind }: KubeObject) => kind === 'Secret'));
  for (const { make } of secretsOf(plan))
    for (const value of Object.values(make(randomBytes))) if (value !== 'parley') assert.ok(!text.includes(value));
});

test('secrets have the shape that the services expect', () => {
  const secrets = new Map(secretsOf(planOf({})).map(({ name, make }) => [name, make(randomBytes)]));
  assert.match(secrets.get('demo-api-key')?.['apiKey'] ?? '', /^pk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/);
  const { keys } = JSON.parse(secrets.get('demo-jwt')?.['keys.json'] ?? '') as { keys: Record<string, string>[] };
  assert.deepEqual(Object.keys(keys[0] ?? {}).sort(), ['alg', 'crv', 'd', 'kid', 'kty', 'use', 'x']);
  assert.match(secrets.get('demo-mysql')?.['url'] ?? '', /^mysql:\/\/parley:[^@]+@demo-mysql\.team\.svc\.cluster\.local:3306\/parley$/);
  assert.match(
    secrets.get('demo-postgres')?.['url'] ?? '',
    /^postgres:\/\/parley:[^@]+@demo-postgres\.team\.svc\.cluster\.local:5432\/parley$/,
  );
  assert.match(secrets.get('demo-redis')?.['url'] ?? '', /^redis:\/\/:[^@]+@demo-redis\.team\.svc\.cluster\.local:6379$/);
  assert.match(secrets.get('demo-kafka')?.['clusterId'] ?? '', /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
});
