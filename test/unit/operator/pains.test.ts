// The ten things that users of operators suffer from most, one test each, by their names. What needs a real API server, real controllers or
// a long sweep is shown where the comment says; here is the part that can be shown in memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { chatClusterCrd, chatDrillCrd, type ChatClusterStatus } from '@parley/operator-api';
import { chartFiles, CLUSTER_RULES, CRD_RULES, desired, installObjects, LEASE_RULES, samples } from '@parley/cdk8s';
import { Controller } from '../../../operator/src/controller.ts';
import { crdVerdict } from '../../../operator/src/kinds/crd-check.ts';
import { chatClusters, pathOf } from '../../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport, Method, RequestOptions } from '../../../operator/src/kube/transport.ts';
import { rolloutStep } from '../../../operator/src/rollout/rollout.ts';
import { failedStatus } from '../../../operator/src/status/status.ts';
import { letRun } from '../../helpers/crash.ts';
import { MemoryKube } from '../../helpers/memory-kube.ts';
import { objectsOf, planOf, VERSION } from '../cdk8s/rendered.ts';
import { ManualClock, settled } from './manual-clock.ts';

const NAMESPACE = 'team';
const DEMO = pathOf(chatClusters, NAMESPACE, 'demo');
const ROUND_MS = 60_000;
const noPods = () => Promise.reject(new Error('there are no pods'));

/** What an operator asks for and writes while it brings a ChatCluster to Ready, and in some minutes at rest after it. */
async function lifeOfACluster() {
  const kube = new MemoryKube();
  const clock = new ManualClock();
  const calls: { method: Method | 'WATCH'; path: string; selector: string | undefined }[] = [];
  const transport: KubeTransport = {
    request: (method: Method, path: string, options: RequestOptions = {}) => {
      calls.push({ method, path, selector: options.query?.['labelSelector'] });
      return kube.request(method, path, options);
    },
    stream: (path, query, signal) => {
      calls.push({ method: 'WATCH', path, selector: query['labelSelector'] });
      return kube.stream(path, query, signal);
    },
  };
  await kube.request('PATCH', DEMO, {
    query: { fieldManager: 'user', force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name: 'demo', namespace: NAMESPACE }, spec: {} },
  });
  const controller = new Controller({
    ...{
      transport,
      watchNamespace: '',
      instance: 'test',
      readConnections: noPods,
      readDelivery: noPods,
      move: noPods,
      drain: noPods,
      readKeys: noPods,
    },
    environment: { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' },
    ...{ log: pino({ level: 'silent' }), clock: clock.asClock() },
  });
  await controller.start();
  const round = async () => {
    await settled();
    await letRun(kube, NAMESPACE);
    await clock.advance(ROUND_MS);
    await settled();
  };
  for (let count = 0; count < 12; count++) await round();
  const status = ((await kube.request<KubeObject>('GET', DEMO))['status'] ?? {}) as ChatClusterStatus;
  const before = calls.length;
  for (let count = 0; count < 30; count++) await round();
  await controller.stop();
  return { calls, atRest: calls.slice(before), status };
}
const life = lifeOfACluster();
const isEvent = (path: string) => path.includes('/events');

test('1. an operator upgrade restarts every workload: pods come from the ChatCluster alone, whatever operator renders them', () => {
  // A scale changes nothing of a pod, a version nothing of the servers: test/unit/cdk8s/objects.test.ts.
  for (const { name, spec } of samples(VERSION)) {
    const templates = (version: string): string =>
      JSON.stringify(
        desired(planOf({ ...spec, version }, { name }), { migrated: true }).map(
          ({ spec: made }) => (made as { template?: unknown } | undefined)?.template ?? null,
        ),
      );
    assert.equal(templates('9.9.9'), templates('9.9.9'), name);
    assert.equal(templates('9.9.9').includes(`:${VERSION}"`), false, `${name}: the version of the operator is in a pod`);
  }
});

test('2. stuck rollouts: a replica that crashes is replaced at once, whatever else happens', () => {
  // Also test/apiserver/rollout.test.ts.
  const chat = {
    namespace: NAMESPACE,
    cluster: 'demo',
    component: 'chat',
    ip: '10.0.0.1',
    terminating: false,
    sockets: undefined,
  } as const;
  const crashing = { reason: 'CrashLoopBackOff', message: '', next: 'read' };
  const { replace } = rolloutStep({
    ...{ replicas: 2, updateRevision: 'new', settled: false, unhealthy: { message: 'lost', forMs: 1000 } },
    pods: [
      { ...chat, name: 'demo-chat-0', uid: '0', revision: 'old', ready: false, problem: crashing },
      { ...chat, name: 'demo-chat-1', uid: '1', revision: 'old', ready: true, problem: undefined },
    ],
  });
  assert.deepEqual(
    replace.map(({ name }) => name),
    ['demo-chat-0'],
  );
});

test('3. status lies or says nothing: each condition names its generation; a spec that leads nowhere is told as that', async () => {
  const { status } = await life;
  assert.ok((status.conditions ?? []).length >= 9);
  for (const { observedGeneration, reason, message } of status.conditions ?? []) assert.ok(observedGeneration === 1 && reason && message);
  const failed = failedStatus({ generation: 7, previous: status, now: new Date() }, 'RenderFailed', 'The cause.');
  const ready = failed.conditions?.find(({ type }) => type === 'Ready');
  assert.deepEqual([ready?.status, ready?.observedGeneration, ready?.message], ['False', 7, 'The cause.']);
});

test('4. stuck finalizers: there is none, on nothing that the operator makes', async () => {
  // A namespace with a ChatCluster goes with real controllers: test/apiserver/volumes-and-controllers.test.ts.
  const made = objectsOf({ backup: {}, chat: { autoscaling: { maxReplicas: 9 } }, monitoring: { prometheus: 'builtin' } });
  for (const { metadata } of made) assert.equal(metadata['finalizers'], undefined, metadata.name);
  assert.equal(/finalizers/.test(JSON.stringify([CLUSTER_RULES, (await life).calls])), false);
});

test('5. hot loops: at rest nothing is written', async () => {
  // Also over a restart: test/apiserver/reconcile.test.ts.
  const { atRest } = await life;
  const of = (methods: string[]) => atRest.filter(({ method, path }) => methods.includes(method) && !isEvent(path));
  assert.deepEqual(of(['PATCH', 'POST', 'PUT', 'DELETE']), []);
});

test('6. the life of a CRD: small enough for kubectl apply, and an outdated one is told with the command', () => {
  // On a real API server: test/apiserver/crd-outdated.test.ts.
  for (const crd of [chatClusterCrd(VERSION), chatDrillCrd(VERSION)]) assert.ok(JSON.stringify(crd).length < 200_000);
  assert.match(crdVerdict([undefined, undefined]).message, /Next: kubectl apply --server-side/);
});

test('7. a failover that loses data: what is acked is on the disk of MySQL, Redis holds nothing durable', () => {
  // Killed under load: test/integration/chat/faults.test.ts; in a cluster: ChatDrill.
  const mysql = objectsOf({}).find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'demo-mysql');
  assert.match(JSON.stringify(mysql), /--innodb-flush-log-at-trx-commit=1/);
});

test('8. memory follows the size of the cluster: every watch but those of our own kinds has a selector, Secrets are read by name', async () => {
  const { calls } = await life;
  const lists = calls.filter(
    ({ method, path }) => method === 'WATCH' || (method === 'GET' && /\/[a-z]+$/.test(path) && !path.includes('/namespaces/')),
  );
  const wide = lists.filter(
    ({ path, selector }) => !path.includes('/chat.parley.dev/') && !/customresourcedefinitions\//.test(path) && !selector,
  );
  assert.ok(lists.length > 20);
  assert.deepEqual(wide, []);
  assert.deepEqual(
    calls.filter(({ method, path }) => method !== 'POST' && path.endsWith('/secrets')),
    [],
  );
});

test('9. webhooks take the API down: there is none in any install, a policy of the API server does their part', () => {
  const all = [...chartFiles(VERSION)].filter(([path]) => !path.includes('crds/')).map(([, text]) => text);
  assert.deepEqual(
    all.filter((text) => /kind: (Validating|Mutating)WebhookConfiguration/.test(text)),
    [],
  );
  const kinds = installObjects(VERSION).map((object) => (object as KubeObject).kind);
  assert.ok(kinds.includes('ValidatingAdmissionPolicy') && kinds.includes('ValidatingAdmissionPolicyBinding'));
  assert.equal(/webhook/i.test(JSON.stringify([CLUSTER_RULES, CRD_RULES, LEASE_RULES])), false);
});

test('10. storage surprises: volumes stay unless the spec says otherwise, and the status says which', async () => {
  // Growth and confirmed deletion: test/apiserver/storage.test.ts and volumes-and-controllers.test.ts.
  const { storage = [] } = (await life).status;
  assert.deepEqual(
    storage.map(({ claim, whenDeleted }) => [claim, whenDeleted]),
    ['kafka', 'mysql', 'postgres', 'redis'].map((part) => [`data-demo-${part}-0`, 'Retain']),
  );
});
