// What a ChatCluster becomes: names and selectors that people and immutable fields rely on, and how the spec shapes the objects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTrustedIssuers } from '@parley/kit/tokens';
import { find, objectsOf, renderedSamples, workloads, type Workload } from './rendered.ts';

/** Of the migration Job: it follows whatever its immutable template is made from. */
const FINGERPRINT = /[0-9a-f]{10}$/;
const LONGEST_NAME = 'a'.repeat(40);

function workload(objects: ReturnType<typeof objectsOf>, component: string): Workload {
  return (
    workloads(objects).find(({ podLabels }) => podLabels['app.kubernetes.io/component'] === component) ?? assert.fail(`no ${component}`)
  );
}
const env = ({ pod }: Workload): Record<string, string | undefined> =>
  Object.fromEntries((pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));

test('the names of a demo cluster are the ones that are documented', () => {
  const names = objectsOf({ monitoring: { prometheus: 'builtin' } })
    .filter(({ kind }) => kind === 'Service' || kind === 'StatefulSet' || kind === 'Deployment' || kind === 'Job')
    .map(({ kind, metadata }) => `${kind} ${metadata.name.replace(FINGERPRINT, '<fingerprint>')}`)
    .sort();
  assert.deepEqual(names, [
    'Deployment demo-auth',
    'Deployment demo-canary',
    'Deployment demo-core',
    'Deployment demo-gateway',
    'Deployment demo-haproxy',
    'Deployment demo-prometheus',
    'Deployment demo-worker',
    'Job demo-migrate-<fingerprint>',
    'Service demo-auth',
    'Service demo-canary',
    'Service demo-chat',
    'Service demo-core',
    'Service demo-gateway',
    'Service demo-haproxy',
    'Service demo-haproxy-pods',
    'Service demo-kafka',
    'Service demo-mysql',
    'Service demo-postgres',
    'Service demo-prometheus',
    'Service demo-redis',
    'Service demo-worker',
    'StatefulSet demo-chat',
    'StatefulSet demo-kafka',
    'StatefulSet demo-mysql',
    'StatefulSet demo-postgres',
    'StatefulSet demo-redis',
  ]);
});

test('selectors are immutable, so they are pinned here', () => {
  for (const { object, selector, podLabels } of workloads(objectsOf({ monitoring: { prometheus: 'builtin' } }))) {
    if (object.kind === 'Job') continue;
    const component = podLabels['app.kubernetes.io/component'];
    assert.deepEqual(selector, {
      'app.kubernetes.io/name': 'parley',
      'app.kubernetes.io/instance': 'demo',
      'app.kubernetes.io/component': component,
    });
    assert.equal(object.metadata.name, `demo-${component}`);
    for (const [label, value] of Object.entries(selector)) assert.equal(podLabels[label], value);
  }
});

test('names fit the 63 characters of a label, also with the longest cluster name and a revision hash', () => {
  for (const { sample, objects } of renderedSamples())
    for (const { kind, metadata } of objects) {
      const suffix = metadata.name.slice(sample.name.length);
      const revision = kind === 'StatefulSet' ? '-0123456789'.length : 0;
      // A CronJob's may have 52, and so the CRD allows a cluster with backups 36.
      if (kind === 'CronJob') assert.ok(36 + suffix.length <= 52, `${kind} ${metadata.name}`);
      else assert.ok(LONGEST_NAME.length + suffix.length + revision <= 63, `${kind} ${metadata.name}`);
    }
});

test('all objects carry the labels by which they are watched and pruned, and no name is used twice', () => {
  for (const { sample, objects } of renderedSamples()) {
    const seen = new Set<string>();
    for (const { kind, metadata } of objects) {
      assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'parley-operator');
      assert.equal(metadata.labels['app.kubernetes.io/instance'], sample.name);
      assert.equal(metadata.namespace, 'team');
      assert.ok(!seen.has(`${kind}/${metadata.name}`), `${sample.file}: ${kind}/${metadata.name} twice`);
      seen.add(`${kind}/${metadata.name}`);
    }
  }
});

test('the same resource gives the same bytes', () => {
  assert.equal(JSON.stringify(objectsOf({})), JSON.stringify(objectsOf({})));
});

test('services wait for the migration, servers do not', () => {
  const before = workloads(objectsOf({}, false)).map(({ object }) => object.metadata.name.replace(FINGERPRINT, '<fingerprint>'));
  assert.deepEqual(before.sort(), ['demo-kafka', 'demo-migrate-<fingerprint>', 'demo-mysql', 'demo-postgres', 'demo-redis']);
});

test('chat pods are given longer than their drain takes', () => {
  const chat = workload(objectsOf({ chat: { drain: { windowSeconds: 90, ratePercentPerSecond: 2 } } }), 'chat');
  assert.equal(env(chat)['DRAIN_WINDOW_MS'], '90000');
  assert.equal(env(chat)['DRAIN_RATE_PERCENT_PER_SECOND'], '2');
  assert.ok(Number(env(chat)['DRAIN_TIMEOUT_MS']) > 90_000);
  assert.ok(chat.pod.terminationGracePeriodSeconds * 1000 > Number(env(chat)['DRAIN_TIMEOUT_MS']));
  assert.ok(chat.pod.terminationGracePeriodSeconds > 90 + 20);
});

test('a scale changes the replica count and nothing else', () => {
  const three = objectsOf({ chat: { replicas: 3 } });
  const five = objectsOf({ chat: { replicas: 5 } });
  const changed = five.filter((object, index) => JSON.stringify(object) !== JSON.stringify(three[index]));
  assert.deepEqual(
    changed.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ['StatefulSet demo-chat'],
  );
});

test('a new version moves the services and the migration, not the servers', () => {
  const changed = objectsOf({ version: '0.2.0' }).filter((object) => !JSON.stringify(objectsOf({})).includes(JSON.stringify(object)));
  assert.deepEqual(
    changed.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(FINGERPRINT, '<fingerprint>')}`).sort(),
    [
      'Deployment demo-auth',
      'Deployment demo-canary',
      'Deployment demo-core',
      'Deployment demo-gateway',
      'Deployment demo-worker',
      'Job demo-migrate-<fingerprint>',
      'StatefulSet demo-chat',
    ].sort(),
  );
});

test('the migration runs anew for whatever its immutable Job is made from, and not when replicas change', () => {
  const job = (spec: object) => workload(objectsOf(spec), 'migrate').object.metadata.name;
  assert.equal(job({ chat: { replicas: 7 } }), job({}));
  assert.notEqual(job({ version: '0.2.0' }), job({}));
  assert.notEqual(job({ images: { registry: 'registry.example.com/parley' } }), job({}));
  assert.notEqual(job({ mysql: { mode: 'external', external: { urlSecretRef: { name: 'mine' } } } }), job({}));
});

test('external servers are not made, and their URLs come from the user’s Secrets', () => {
  const external = (name: string) => ({ mode: 'external', external: { urlSecretRef: { name } } });
  const objects = objectsOf({
    mysql: external('my-mysql'),
    postgres: external('my-pg'),
    redis: external('my-redis'),
    kafka: { mode: 'none' },
  });
  assert.deepEqual(
    workloads(objects).flatMap(({ object }) => (object.kind === 'StatefulSet' ? [object.metadata.name] : [])),
    ['demo-chat'],
  );
  const volumes = workload(objects, 'core').pod.volumes?.flatMap(({ secret }) => (secret ? [secret.secretName] : []));
  assert.deepEqual(volumes?.sort(), ['my-mysql', 'my-pg', 'my-redis']);
  assert.equal(env(workload(objects, 'worker'))['KAFKA_BROKERS'], '');
});

test('three brokers are three voters, and the worker knows all of them', () => {
  const objects = objectsOf({ kafka: { brokers: 3 } });
  const kafka = workload(objects, 'kafka');
  assert.equal(kafka.replicas, 3);
  assert.equal(env(kafka)['KAFKA_CONTROLLER_QUORUM_VOTERS']?.split(',').length, 3);
  assert.equal(env(kafka)['KAFKA_MIN_INSYNC_REPLICAS'], '2');
  assert.equal(env(workload(objects, 'worker'))['KAFKA_BROKERS']?.split(',').length, 3);
});

test('volumes are kept when the cluster is deleted, unless the spec says otherwise', () => {
  const retention = (spec: object) =>
    (find(objectsOf(spec), 'StatefulSet', 'demo-mysql')['spec'] as { persistentVolumeClaimRetentionPolicy: object })
      .persistentVolumeClaimRetentionPolicy;
  assert.deepEqual(retention({}), { whenDeleted: 'Retain', whenScaled: 'Retain' });
  assert.deepEqual(retention({ mysql: { storage: { whenDeleted: 'Delete' } } }), { whenDeleted: 'Delete', whenScaled: 'Retain' });
});

test('resources of the spec replace the defaults', () => {
  const [container] = workload(objectsOf({ chat: { resources: { requests: { cpu: '2' }, limits: { memory: '3Gi' } } } }), 'chat').pod
    .containers;
  assert.equal(container?.resources.requests['cpu'], '2');
  assert.equal(container?.resources.requests['memory'], '128Mi');
  assert.equal(container?.resources.limits['memory'], '3Gi');
});

test('the Service of HAProxy has the three documented ports', () => {
  const { ports, type } = find(objectsOf({ ingress: { service: { type: 'LoadBalancer' } } }), 'Service', 'demo-haproxy')['spec'] as {
    ports: { name: string; port: number }[];
    type: string;
  };
  assert.equal(type, 'LoadBalancer');
  assert.deepEqual(Object.fromEntries(ports.map(({ name, port }) => [name, port])), { gateway: 8080, chat: 8085, stats: 8404 });
});

test('trusted issuers arrive at every service that checks tokens, as it reads them, with the shared secrets as files', () => {
  const issuers = [
    { issuer: 'https://id.example.org', jwksUrl: 'https://id.example.org/keys', userIdMin: 1_000_000, audience: 'chat' },
    { issuer: 'intranet', hs256SecretRef: { name: 'intranet', key: 'jwt' }, userIdMin: 2_000_000, userIdClaim: 'uid' },
  ];
  const objects = objectsOf({ auth: { issuers } });
  for (const component of ['chat', 'core', 'gateway']) {
    const { pod } = workload(objects, component);
    const text = env(workload(objects, component))['TRUSTED_ISSUERS'] ?? '';
    const read: string[] = [];
    const trusted = readTrustedIssuers(text, {
      own: { issuer: 'parley', audience: 'parley' },
      readFile: (path) => {
        read.push(path);
        return Buffer.alloc(32, 's');
      },
    });
    assert.deepEqual(
      trusted.map(({ issuer, audience }) => [issuer, audience]),
      [
        ['https://id.example.org', 'chat'],
        ['intranet', 'parley'],
      ],
      component,
    );
    const mount = pod.containers[0]?.volumeMounts?.find(({ mountPath }) => read[0]?.startsWith(`${mountPath}/`));
    const volume = pod.volumes?.find(({ name }) => name === mount?.name);
    assert.equal(volume?.secret?.secretName, 'intranet');
    assert.deepEqual(volume?.secret?.items, [{ key: 'jwt', path: 'jwt' }]);
  }
  assert.equal(env(workload(objectsOf({}), 'chat'))['TRUSTED_ISSUERS'], undefined);
});

test('webhooks and notifications reach the worker; the secret that signs is a file', () => {
  const worker = workload(
    objectsOf({
      worker: {
        webhooks: { allowPrivate: true, failuresMax: 3 },
        notifications: { url: 'https://push.example/hook', secretRef: { name: 'push' } },
      },
    }),
    'worker',
  );
  const variables = env(worker);
  assert.equal(variables['WEBHOOK_ALLOW_PRIVATE'], 'true');
  assert.equal(variables['WEBHOOK_FAILURES_MAX'], '3');
  assert.equal(variables['NOTIFICATIONS_WEBHOOK_URL'], 'https://push.example/hook');
  assert.equal(variables['NOTIFICATIONS_WEBHOOK_SECRET'], undefined);
  assert.match(variables['NOTIFICATIONS_WEBHOOK_SECRET_FILE'] ?? '', /^\/run\/secrets\/.+\/secret$/);
  assert.ok(worker.pod.volumes?.some(({ secret }) => secret?.secretName === 'push'));
});

test('a collector of traces arrives at every service; its headers are a file', () => {
  const tracing = { endpoint: 'http://collector:4318', samplePercent: 5, headersSecretRef: { name: 'collector', key: 'headers' } };
  const objects = objectsOf({ monitoring: { tracing } });
  for (const component of ['chat', 'core', 'gateway', 'auth', 'worker']) {
    const variables = env(workload(objects, component));
    assert.deepEqual(
      [variables['OTEL_EXPORTER_OTLP_ENDPOINT'], variables['OTEL_TRACES_SAMPLER_ARG']],
      ['http://collector:4318', '0.05'],
      component,
    );
    assert.match(variables['OTEL_EXPORTER_OTLP_HEADERS_FILE'] ?? '', /headers$/, component);
    assert.equal(env(workload(objectsOf({}), component))['OTEL_EXPORTER_OTLP_ENDPOINT'], undefined);
  }
});
