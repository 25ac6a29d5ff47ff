// One operator on a real API server for a suite, with the rights of an install below charts/ and nothing more. No controllers run there, so the
// tests play their part: they write the status of StatefulSets, Deployments and Jobs, and make Pods.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { pino } from 'pino';
import type { ChatClusterStatus } from '@parley/operator-api';
import { Controller } from '../../operator/src/controller.ts';
import type { DeliveryReport } from '../../operator/src/watch/delivery.ts';
import { chatClusters, chatDrills, ownedResource, pathOf, pods, secrets } from '../../operator/src/kube/resources.ts';
import type { SigningKeysAnswer } from '../../operator/src/secrets/key-rotation.ts';
import type { Paces } from '../../operator/src/paces.ts';
import type { MoveRequest } from '../../operator/src/rollout/socket-moves.ts';
import { isNotFound, type KubeObject, type KubeTransport, type Method } from '../../operator/src/kube/transport.ts';
import { INSTALL, startApiServer, type ApiServer, type ApiServerOptions } from '../helpers/apiserver.ts';
import { eventually } from '../helpers/eventually.ts';

const HEALTHY: DeliveryReport = {
  ...{ state: 'ok', reason: 'Delivering', message: 'all is well', acked: 100, sockets: 5, replicas: 3 },
  ...{ lost: 0, duplicated: 0, misordered: 0, p50Ms: 2, p99Ms: 9 },
};

const others = new Map([secrets, chatClusters, chatDrills, pods].map((each) => [each.kind, each]));
const resourceOf = (kind: string) => others.get(kind) ?? ownedResource(kind);

/** Notes every write that passes. */
function counting(transport: KubeTransport): KubeTransport & { writes: string[] } {
  const writes: string[] = [];
  return {
    writes,
    request: <T>(method: Method, path: string, options?: object): Promise<T> => {
      // Events are a courtesy and come when they come.
      if (method !== 'GET' && !path.includes('/events')) writes.push(`${method} ${path}`);
      return transport.request<T>(method, path, options);
    },
    stream: (path, query, signal) => transport.stream(path, query, signal),
  };
}

/** What waits for time alone in production. What is told often costs writes, and tests count them: that a look comes soon is enough. */
const QUICK: Partial<Paces> = {
  ...{ ask: 100, tell: 200, rollout: 250, unsettled: 500, secrets: 1000, keys: 500, claims: 500, drill: 200 },
  ...{ crds: 500, kinds: 300, drillWatch: 500 },
};

/** No kubelet is there to end a pod. */
const AT_ONCE = { gracePeriodSeconds: 0 };

interface Install {
  file: string;
  as: 'operator' | 'namespaced';
  operatorNamespace: string;
  /** Empty: each test has a namespace of its own. */
  watchNamespace: string;
}
const EVERYWHERE: Install = { file: INSTALL, as: 'operator', operatorNamespace: 'parley-system', watchNamespace: '' };

/** Call it inside a describe: it brings its own hooks. Each test has one ChatCluster, demo. */
export function operatorWorld({ file, as, operatorNamespace, watchNamespace }: Install = EVERYWHERE, options: ApiServerOptions = {}) {
  let server: ApiServer;
  let admin: KubeTransport;
  let namespace: string;
  let operator: ReturnType<typeof counting>;
  let controller: Controller;
  const warnings: string[] = [];
  let round = 0;

  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  /** what the replica at an address answers */
  const socketsOf = new Map<string, number>();
  /** addresses of chat replicas that were asked to drain */
  const drained = new Set<string>();
  /** what the replica of auth at an address says of its keys */
  const keysOf = new Map<string, SigningKeysAnswer>();
  /** what chat replicas were asked to move */
  const moves: ({ ip: string } & MoveRequest)[] = [];
  /** what every canary answers */
  let deliveryReport: DeliveryReport = HEALTHY;
  const startController = async (wrap = (transport: KubeTransport): KubeTransport => transport): Promise<void> => {
    operator = counting(wrap(server.transport(as)));
    controller = new Controller({
      transport: operator,
      environment: { clusterDomain: 'cluster.local', operatorNamespace },
      watchNamespace,
      instance: 'test',
      readConnections: async (ip) => ({
        ...{ connections: socketsOf.get(ip) ?? 0, maxConnections: 1000 },
        ...{ draining: drained.has(ip), asked: drained.has(ip) },
      }),
      drain: async (ip, wanted) => (wanted ? drained.add(ip) : drained.delete(ip)),
      move: async (ip, request) => {
        moves.push({ ip, ...request });
        return 'count' in request ? request.count : 1;
      },
      readKeys: async (ip) => keysOf.get(ip) ?? Promise.reject(new Error('it does not answer')),
      readDelivery: async () => deliveryReport,
      paces: QUICK,
      log,
    });
    await controller.start();
  };
  const get = async (kind: string, name: string): Promise<KubeObject | undefined> =>
    admin.request('GET', pathOf(resourceOf(kind), namespace, name)).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  const exists = (kind: string, name: string) => eventually(`${kind} ${name}`, () => get(kind, name));
  const gone = (kind: string, name: string) => eventually(`no ${kind} ${name}`, async () => (await get(kind, name)) === undefined);
  const apply = (spec: object): Promise<KubeObject> =>
    admin.request('PATCH', pathOf(chatClusters, namespace, 'demo'), {
      query: { fieldManager: 'user' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name: 'demo' }, spec },
    });
  const status = async (): Promise<ChatClusterStatus> => (await get('ChatCluster', 'demo'))?.['status'] ?? {};
  const condition = async (type: string) => (await status()).conditions?.find((each) => each.type === type);
  const becomes = (type: string, value: string, reason?: string) =>
    eventually(`${type}=${value} ${reason ?? ''}`, async () => {
      const found = await condition(type);
      const { metadata } = (await get('ChatCluster', 'demo')) ?? assert.fail();
      const current = found?.observedGeneration === metadata.generation;
      return current && found?.status === value && (!reason || found.reason === reason) && found;
    });

  /** What the controllers of a whole cluster would do: everything is running. */
  const makeReady = async (kind: 'StatefulSet' | 'Deployment' | 'Job', name: string): Promise<void> => {
    const { metadata, spec } = await exists(kind, name);
    const replicas = (spec as { replicas?: number }).replicas ?? 1;
    const now = '2026-01-01T00:00:00Z';
    const done =
      kind === 'Job'
        ? {
            succeeded: 1,
            startTime: now,
            completionTime: now,
            conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', lastTransitionTime: now })),
          }
        : {
            replicas,
            readyReplicas: replicas,
            updatedReplicas: replicas,
            availableReplicas: replicas,
            observedGeneration: metadata.generation,
          };
    await admin.request('PATCH', pathOf(ownedResource(kind), namespace, name, 'status'), {
      contentType: 'application/merge-patch+json',
      body: { status: done },
    });
  };
  const jobName = () =>
    eventually('the migration Job', async () => {
      const { items }: { items: KubeObject[] } = await admin.request('GET', pathOf(ownedResource('Job'), namespace));
      return items.find(({ metadata }) => !metadata.deletionTimestamp)?.metadata.name;
    });
  /** `servers`: the builtin ones. */
  const makeAllReady = async (servers = ['mysql', 'postgres', 'redis', 'kafka']): Promise<void> => {
    for (const name of servers) await makeReady('StatefulSet', `demo-${name}`);
    await makeReady('Job', await jobName());
    for (const name of ['auth', 'core', 'gateway', 'worker', 'haproxy', 'canary']) await makeReady('Deployment', `demo-${name}`);
    await makeReady('StatefulSet', 'demo-chat');
    await becomes('Ready', 'True');
  };
  /** Nothing is queued and no write has passed for a while: long enough for an echo of our own writes to come back. */
  const quiet = async (): Promise<void> => {
    let seen = -1;
    let since = performance.now();
    await eventually('no more writes', async () => {
      if (operator.writes.length !== seen || controller.queueDepth > 0) {
        seen = operator.writes.length;
        since = performance.now();
      }
      return performance.now() - since > 500;
    });
  };

  /** An operator that begins anew finds everything as it should be. */
  const restartWritesNothing = async (): Promise<void> => {
    await quiet();
    await controller.stop();
    await startController();
    await quiet();
    assert.deepEqual([operator.writes, warnings], [[], []]);
  };

  before(async () => {
    server = await startApiServer({ ...options, install: file });
    admin = server.transport();
  });
  after(() => server?.stop());
  beforeEach(async () => {
    namespace = watchNamespace || `team-${++round}`;
    warnings.length = 0;
    if (!watchNamespace) {
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      await admin.request('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace, labels } } });
    }
    await startController();
  });
  afterEach(async () => {
    await controller.stop();
    for (const each of [chatClusters, chatDrills, pods]) await admin.request('DELETE', pathOf(each, namespace), { body: AT_ONCE });
    socketsOf.clear();
    keysOf.clear();
    drained.clear();
    moves.length = 0;
    deliveryReport = HEALTHY;
  });

  /** A Pod as the StatefulSet's controller and the kubelet would make it. */
  const makePod = async (component: string, ordinal: number, { revision, status: podStatus }: { revision: string; status: object }) => {
    const name = `demo-${component}-${ordinal}`;
    const labels = Object.fromEntries(
      Object.entries({ name: 'parley', instance: 'demo', component, 'managed-by': 'parley-operator' }).map(([label, value]) => [
        `app.kubernetes.io/${label}`,
        value,
      ]),
    );
    const securityContext = {
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      runAsUser: 1000,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    };
    await admin.request('POST', pathOf(pods, namespace), {
      body: {
        ...{ apiVersion: 'v1', kind: 'Pod' },
        metadata: { name, labels: { ...labels, 'controller-revision-hash': revision } },
        spec: { automountServiceAccountToken: false, containers: [{ name: component, image: 'x', securityContext }] },
      },
    });
    await admin.request('PATCH', pathOf(pods, namespace, name, 'status'), {
      contentType: 'application/merge-patch+json',
      body: { status: podStatus },
    });
  };
  const serving = (ordinal: number) => ({
    podIP: `10.0.0.${ordinal}`,
    podIPs: [{ ip: `10.0.0.${ordinal}` }],
    conditions: [{ type: 'Ready', status: 'True' }],
  });
  const chatPods = async (): Promise<Record<string, string>> => {
    const { items }: { items: KubeObject[] } = await admin.request('GET', pathOf(pods, namespace));
    return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.labels?.['controller-revision-hash'] ?? '']));
  };
  const wantRevision = (updateRevision: string) =>
    admin.request('PATCH', pathOf(ownedResource('StatefulSet'), namespace, 'demo-chat', 'status'), {
      contentType: 'application/merge-patch+json',
      body: { status: { updateRevision } },
    });

  return {
    ...{
      get,
      exists,
      gone,
      apply,
      status,
      condition,
      becomes,
      makeReady,
      jobName,
      makeAllReady,
      quiet,
      startController,
      restartWritesNothing,
    },
    ...{ makePod, serving, chatPods, wantRevision, socketsOf, keysOf, drained, moves, warnings },
    deliver: (more: Partial<DeliveryReport>) => void (deliveryReport = { ...HEALTHY, ...more }),
    server: () => server,
    admin: () => admin,
    namespace: () => namespace,
    writes: () => operator.writes,
    stopController: () => controller.stop(),
  };
}
