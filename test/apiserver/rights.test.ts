// The rights of charts/install.yaml against what the API server notes of the operator's calls: none is refused, and none is granted
// that nothing uses.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lease } from '../../operator/src/kube/lease.ts';
import { Recorder } from '../../operator/src/kube/recorder.ts';
import { chatDrills, leases, ownedResource, pathOf } from '../../operator/src/kube/resources.ts';
import { installMonitoringKinds } from '../helpers/prometheus-operator.ts';
import { assertRightsUsed } from '../helpers/rights.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const SYSTEM = 'parley-system';
const WAITING = (namespace: string) => ({
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  metadata: {
    ...{ name: 'data-demo-redis-0', namespace },
    labels: Object.fromEntries(
      Object.entries({ name: 'parley', instance: 'demo', component: 'redis' }).map(([label, value]) => [
        `app.kubernetes.io/${label}`,
        value,
      ]),
    ),
  },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'none' },
});

describe('the rights of the operator', () => {
  const { apply, get, gone, status, condition, becomes, makeReady, makeAllReady, jobName, exists, quiet, ...more } = operatorWorld(
    undefined,
    { audit: true },
  );
  const { makePod, serving, chatPods, wantRevision, socketsOf, server, admin, namespace, warnings } = more;
  const approve = async () => {
    const plan = await eventually('a plan', async () => (await condition('Ready'))?.reason === 'PlanPending' && (await status()).plan);
    assert.ok(plan);
    await server().kubectl(['-n', namespace(), 'annotate', 'chatcluster', 'demo', `chat.parley.dev/approve=${plan.hash}`, '--overwrite']);
  };
  const operator = () => server().transport('operator');

  /** What an earlier version made and this one does not know. */
  const leaveBehind = async (kind: string, like: string): Promise<void> => {
    const { apiVersion, metadata, spec } = await exists(kind, like);
    const { labels, ownerReferences } = metadata;
    const old = { name: 'demo-old', labels: { ...labels, 'app.kubernetes.io/component': 'old' }, ownerReferences };
    await admin().request('POST', pathOf(ownedResource(kind), namespace()), { body: { apiVersion, kind, metadata: old, spec } });
    await gone(kind, 'demo-old');
  };
  const rollout = async (): Promise<void> => {
    [0, 1, 2].forEach((ordinal) => socketsOf.set(`10.0.0.${ordinal}`, 10));
    for (const ordinal of [0, 1, 2]) await makePod('chat', ordinal, { revision: 'old', status: serving(ordinal) });
    await eventually('their sockets', async () => (await status()).connections?.total === 30);
    await wantRevision('new');
    await eventually('one is told to go', async () => Object.keys(await chatPods()).length === 2);
  };
  const changeKey = async (): Promise<void> => {
    await server().kubectl(['-n', namespace(), 'annotate', 'chatcluster', 'demo', 'chat.parley.dev/rotate-jwt-key=one']);
    await eventually('a new signing key', async () => (await status()).keyRotation?.phase === 'Publishing');
  };
  const refuseDrill = async (): Promise<void> => {
    const drill = { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatDrill', metadata: { name: 'one' } };
    const path = pathOf(chatDrills, namespace());
    await admin().request('POST', path, { body: { ...drill, spec: { cluster: 'demo', fault: 'KillRedis' } } });
    await server().kubectl(['-n', namespace(), 'wait', '--for=condition=Failed', '--timeout=30s', 'chatdrill/one']);
  };
  const loseLease = async (): Promise<void> => {
    const leaseOf = (identity: string) =>
      new Lease({
        ...{ transport: operator(), namespace: SYSTEM, name: 'parley-operator', identity },
        ...{ durationMs: 2000, renewDeadlineMs: 1000, retryMs: 100 },
      });
    const [first, second] = [leaseOf('first'), leaseOf('second')];
    await first.acquire();
    const end = first.hold();
    const path = pathOf(leases, SYSTEM, 'parley-operator');
    const body = { spec: { holderIdentity: 'another' } };
    await admin().request('PATCH', path, { contentType: 'application/merge-patch+json', body });
    assert.equal(await end, 'lost');
    await second.acquire();
    await second.release();
  };

  it('are those that it uses, and no others', async () => {
    await installMonitoringKinds(server());
    await apply({ backup: {}, chat: { autoscaling: { maxReplicas: 5 } }, monitoring: { prometheus: 'builtin' } });
    for (const name of ['mysql', 'postgres', 'redis', 'kafka']) await makeReady('StatefulSet', `demo-${name}`);
    await makeReady('Deployment', 'demo-prometheus');
    await makeAllReady();
    await leaveBehind('StatefulSet', 'demo-redis');
    await leaveBehind('PodDisruptionBudget', 'demo-core');
    // A claim of a class, without a volume: what Kubernetes says of it is asked for.
    await server().kubectl(['apply', '-f', '-'], JSON.stringify(WAITING(namespace())));
    const job = await jobName();
    const plan = { changePolicy: 'Plan', version: '0.2.0', worker: { replicas: 0 } };
    await exists('PodMonitor', 'demo');
    await exists('PrometheusRule', 'demo');
    const none = { prometheus: 'none', podMonitor: 'never', prometheusRule: 'never' };
    await apply({ ...plan, monitoring: none, networkPolicy: { enabled: false } });
    await approve();
    const next = await eventually('a new Job', async () => (await jobName().catch(() => undefined)) !== job && jobName());
    assert.ok(next);
    await gone('Deployment', 'demo-prometheus');
    await gone('PodMonitor', 'demo');
    await gone('PrometheusRule', 'demo');
    await gone('CronJob', 'demo-backup-mysql');
    await gone('NetworkPolicy', 'demo-mysql');
    await gone('Job', job);
    await makeReady('Job', next);
    // Of chat, which stays as it is until the new version has migrated.
    await gone('HorizontalPodAutoscaler', 'demo-chat');
    for (const name of ['auth', 'core', 'gateway', 'worker', 'haproxy', 'canary']) await makeReady('Deployment', `demo-${name}`);
    await makeReady('StatefulSet', 'demo-chat');
    await becomes('Ready', 'True');
    await rollout();
    await changeKey();
    await refuseDrill();
    await loseLease();
    // The same event again after a while: it is counted up.
    const recorder = new Recorder({ transport: operator(), instance: 'test', onError: (error) => warnings.push(String(error)) });
    const cluster = (await get('ChatCluster', 'demo')) ?? assert.fail();
    const note = { type: 'Normal', reason: 'Again', action: 'Test', note: 'The same again' } as const;
    const again = async (atMs: number, count: number): Promise<void> => {
      recorder.record(cluster, note, atMs);
      await eventually(`event ${count}`, async () => {
        const { items }: { items: { reason: string; series?: { count: number } }[] } = await admin().request(
          'GET',
          `/apis/events.k8s.io/v1/namespaces/${namespace()}/events`,
        );
        return items.some(({ reason, series }) => reason === 'Again' && (series?.count ?? 1) === count);
      });
    };
    await again(Date.now(), 1);
    await again(Date.now() + 3_600_000, 2);
    await quiet();
    // What the API server says of kinds that were installed a moment ago.
    assert.deepEqual(
      warnings.filter((line) => !line.includes('storage is (re)initializing')),
      [],
    );

    assertRightsUsed(server().audited());
  });
});
