// The rights of charts/install.yaml against what the API server noted of the operator's calls (kind/cluster/audit-policy.yaml). It looks back at
// the whole run of this level, whose last file it is: what the others do not ask of the operator is asked for here.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { installMonitoringKinds, removeMonitoringKinds } from '../helpers/prometheus-operator.ts';
import { assertRightsUsed, auditEvents } from '../helpers/rights.ts';
import { clusterReady, eventually, kind, kubectl, kubectlWith, onNode } from './kind.ts';

const SYSTEM = 'parley-system';
const LONG_MS = 600_000;
const name = kind.chatCluster;
const cluster = `chatcluster/${name}`;
const ofCluster = (component: string) =>
  Object.fromEntries(
    Object.entries({ name: 'parley', instance: name, component }).map(([label, value]) => [`app.kubernetes.io/${label}`, value]),
  );

interface Kept {
  apiVersion: string;
  kind: string;
  metadata: { labels: Record<string, string>; ownerReferences: object[] };
  spec: object;
}

describe('the rights of the operator on kind', { concurrency: false, timeout: LONG_MS }, () => {
  const server = { kubectl: (args: string[], input?: string) => kubectlWith(args, input) };
  const patch = (spec: object) => kubectl('patch', cluster, '--type=merge', '-p', JSON.stringify({ spec }));
  const create = (object: object) => kubectlWith(['create', '-f', '-'], JSON.stringify(object));
  const there = (...objects: string[]) => eventually(objects.join(), async () => (await kubectl('get', ...objects, '-o', 'name')) !== '');
  const gone = (...objects: string[]) =>
    eventually(`no ${objects.join()}`, async () => (await kubectl('get', ...objects, '-o', 'name', '--ignore-not-found')) === '');

  before(() => clusterReady());
  after(async () => {
    await patch({ backup: null, networkPolicy: null, chat: { autoscaling: null } });
    await patch({ monitoring: { prometheus: 'builtin', podMonitor: null, prometheusRule: null } });
    await kubectl('delete', 'chatdrill/e2e-refused', 'persistentvolumeclaim/e2e-waiting', '--ignore-not-found');
    await removeMonitoringKinds(server);
    await clusterReady();
  });

  /** What an earlier version made and this one does not know. */
  const leaveBehind = async (kindOf: string, like: string): Promise<void> => {
    const { apiVersion, kind, metadata, spec } = JSON.parse(await kubectl('get', kindOf, like, '-o', 'json')) as Kept;
    const labels = { ...metadata.labels, 'app.kubernetes.io/component': 'old' };
    const old = { name: `${name}-old`, labels, ownerReferences: metadata.ownerReferences };
    await create({ apiVersion, kind, metadata: old, spec: 'replicas' in spec ? { ...spec, replicas: 0 } : spec });
    await gone(kindOf, `${name}-old`);
  };

  /** A new process knows nothing of what the one before has told. */
  const newOperator = async (): Promise<void> => {
    await kubectl('--namespace', SYSTEM, 'delete', 'pods', '--all');
    await kubectl('--namespace', SYSTEM, 'rollout', 'status', 'deployment/parley-operator', '--timeout=180s');
  };

  test('are those that it uses, and no others', async () => {
    const optional = [
      [`horizontalpodautoscaler/${name}-chat`, `cronjob/${name}-backup-mysql`, `deployment/${name}-prometheus`],
      [`podmonitor/${name}`, `prometheusrule/${name}`, `networkpolicy/${name}-mysql`],
    ].flat();
    await installMonitoringKinds(server);
    await patch({ backup: {}, chat: { autoscaling: { maxReplicas: 4 } } });
    await there(...optional);
    await leaveBehind('StatefulSet', `${name}-redis`);
    await leaveBehind('PodDisruptionBudget', `${name}-core`);
    const none = { prometheus: 'none', podMonitor: 'never', prometheusRule: 'never' };
    await patch({ backup: null, chat: { autoscaling: null }, monitoring: none, networkPolicy: { enabled: false } });
    await gone(...optional);
    // Both are told again, by a process that did not tell them before.
    await newOperator();
    await patch({ monitoring: { prometheus: 'builtin', podMonitor: null, prometheusRule: null }, networkPolicy: null });
    await there(`deployment/${name}-prometheus`, `podmonitor/${name}`, `networkpolicy/${name}-mysql`);

    // A claim of a class that is not there: what Kubernetes says of it is asked for.
    await create({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'e2e-waiting', labels: ofCluster('redis') } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'none' },
    });
    await kubectl('annotate', cluster, `chat.parley.dev/rotate-jwt-key=e2e-${Date.now()}`, '--overwrite');
    await create({
      ...{ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatDrill', metadata: { name: 'e2e-refused' } },
      spec: { cluster: name, fault: 'KillRedis' },
    });
    await kubectl('wait', '--for=condition=Failed', '--timeout=60s', 'chatdrill/e2e-refused');

    const controlPlane = await kubectl(
      'get',
      'nodes',
      '-l',
      'node-role.kubernetes.io/control-plane',
      '-o',
      'jsonpath={.items[0].metadata.name}',
    );
    let calls = 0;
    await eventually('each right in the audit log', async () => {
      const events = auditEvents(await onNode(controlPlane, 'cat', '/var/log/kubernetes/audit.log'));
      calls = events.length;
      assertRightsUsed(events);
      return true;
    });
    assert.ok(calls > 100, `${calls} calls were noted`);
  });
});
