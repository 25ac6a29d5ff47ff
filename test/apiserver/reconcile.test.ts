// The operator against a real API server, with the rights of charts/install.yaml and nothing more. No controllers run there, so the
// tests play their part: they write the status of StatefulSets, Deployments and Jobs.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { ChatClusterStatus } from '@parley/operator-api';
import { Controller } from '../../operator/src/controller.ts';
import { chatClusters, ownedResource, pathOf, secrets } from '../../operator/src/kube/resources.ts';
import { isNotFound, type KubeObject, type KubeTransport, type Method } from '../../operator/src/kube/transport.ts';
import { startApiServer, type ApiServer } from '../helpers/apiserver.ts';

const charts = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'charts');
/** A watch that was refused waits up to 30 s before it tries again. */
const DEADLINE_MS = 120_000;

async function eventually<T>(what: string, read: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${DEADLINE_MS / 1000} s: ${what}`);
    await sleep(50);
  }
}

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

describe('the operator on a real API server', () => {
  let server: ApiServer;
  let admin: KubeTransport;
  let namespace: string;
  let operator: ReturnType<typeof counting>;
  let controller: Controller;
  const warnings: string[] = [];
  let round = 0;

  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const startController = async (): Promise<void> => {
    operator = counting(server.transport('operator'));
    controller = new Controller({
      transport: operator,
      environment: { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' },
      watchNamespace: '',
      instance: 'test',
      log,
    });
    await controller.start();
  };
  const get = async (kind: string, name: string): Promise<KubeObject | undefined> =>
    admin
      .request('GET', pathOf(kind === 'Secret' ? secrets : kind === 'ChatCluster' ? chatClusters : ownedResource(kind), namespace, name))
      .catch((error: unknown) => {
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
  const makeAllReady = async (): Promise<void> => {
    for (const name of ['mysql', 'postgres', 'redis', 'kafka']) await makeReady('StatefulSet', `demo-${name}`);
    await makeReady('Job', await jobName());
    for (const name of ['auth', 'core', 'gateway', 'worker', 'haproxy']) await makeReady('Deployment', `demo-${name}`);
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

  before(async () => {
    server = await startApiServer();
    admin = server.transport();
    await server.kubectl(['apply', '-f', join(charts, 'install.yaml')]);
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/chatclusters.chat.parley.dev']);
  });
  after(() => server?.stop());
  beforeEach(async () => {
    namespace = `team-${++round}`;
    warnings.length = 0;
    await server.kubectl(['create', 'namespace', namespace]);
    await server.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await startController();
  });
  afterEach(async () => {
    await controller.stop();
    await server.kubectl(['delete', '-n', namespace, 'chatclusters', '--all']);
  });

  it('brings an empty ChatCluster to Ready, servers first, then the migration, then the services', async () => {
    await apply({});
    assert.equal((await becomes('Ready', 'False')).reason, 'DependenciesNotReady');
    assert.equal(await get('StatefulSet', 'demo-chat'), undefined);
    await makeAllReady();
    const { replicas, readyReplicas, selector, version, observedGeneration } = await eventually('chat in the status', async () => {
      const found = await status();
      return found.readyReplicas === 3 && found;
    });
    assert.deepEqual(
      { replicas, readyReplicas, version, observedGeneration },
      { replicas: 3, readyReplicas: 3, version: '0.1.0', observedGeneration: 1 },
    );
    assert.equal(selector, 'app.kubernetes.io/name=parley,app.kubernetes.io/instance=demo,app.kubernetes.io/component=chat');
    for (const type of ['Available', 'Rendered', 'DependenciesReady', 'MigrationsReady'])
      assert.equal((await condition(type))?.status, 'True', type);
    for (const type of ['Progressing', 'Degraded']) assert.equal((await condition(type))?.status, 'False', type);
    assert.deepEqual(warnings, []);
  });

  it('writes nothing when nothing changed, also after a restart', async () => {
    await apply({});
    await makeAllReady();
    await quiet();
    await controller.stop();
    await startController();
    await quiet();
    assert.deepEqual(operator.writes, []);
  });

  it('every object is owned by the ChatCluster and labelled', async () => {
    await apply({});
    await makeAllReady();
    const uid = (await get('ChatCluster', 'demo'))?.metadata.uid;
    for (const kind of ['ConfigMap', 'Service', 'Deployment', 'StatefulSet', 'Job', 'NetworkPolicy', 'PodDisruptionBudget']) {
      const { items }: { items: KubeObject[] } = await admin.request('GET', pathOf(ownedResource(kind), namespace));
      const made = items.filter(({ metadata }) => metadata.name.startsWith('demo-'));
      assert.ok(made.length > 0, kind);
      for (const { metadata } of made) {
        assert.equal(metadata.ownerReferences?.[0]?.uid, uid, `${kind} ${metadata.name}`);
        assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'parley-operator');
      }
    }
  });

  it('repairs what somebody else changed, and puts back what somebody deleted', async () => {
    await apply({});
    await makeAllReady();
    await quiet();
    await server.kubectl(['-n', namespace, 'scale', 'statefulset/demo-chat', '--replicas=1']);
    await server.kubectl(['-n', namespace, 'delete', 'service', 'demo-haproxy']);
    await server.kubectl(['-n', namespace, 'patch', 'configmap', 'demo-haproxy', '-p', '{"data":{"haproxy.cfg":"broken"}}']);
    await exists('Service', 'demo-haproxy');
    await eventually(
      'three replicas',
      async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 3,
    );
    await eventually('the configuration', async () =>
      ((await get('ConfigMap', 'demo-haproxy'))?.['data'] as Record<string, string>)['haproxy.cfg']?.includes('frontend chat'),
    );
  });

  it('leaves fields alone that others added', async () => {
    await apply({});
    await makeAllReady();
    await server.kubectl(['-n', namespace, 'annotate', 'statefulset/demo-chat', 'team.example.com/owner=us']);
    await apply({ chat: { replicas: 4 } });
    await eventually(
      'four replicas',
      async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 4,
    );
    assert.equal((await get('StatefulSet', 'demo-chat'))?.metadata.annotations?.['team.example.com/owner'], 'us');
  });

  it('removes what the spec no longer asks for', async () => {
    await apply({ monitoring: { prometheus: 'builtin' } });
    await makeReady('StatefulSet', 'demo-mysql');
    await exists('Deployment', 'demo-prometheus');
    await apply({ monitoring: { prometheus: 'none' }, networkPolicy: { enabled: false } });
    await gone('Deployment', 'demo-prometheus');
    await gone('ConfigMap', 'demo-prometheus');
    await gone('NetworkPolicy', 'demo-mysql');
  });

  it('never overwrites a Secret, and does not make a password anew for data that is kept', async () => {
    await apply({});
    const before = await exists('Secret', 'demo-mysql');
    await exists('StatefulSet', 'demo-mysql');
    await apply({ chat: { replicas: 2 } });
    await eventually('generation 2', async () => (await status()).observedGeneration === 2);
    assert.deepEqual((await get('Secret', 'demo-mysql'))?.['data'], before['data']);
    assert.equal(before.metadata.ownerReferences, undefined);
  });

  it('migrates a new version before it moves the services', async () => {
    await apply({});
    await makeAllReady();
    const old = await jobName();
    await apply({ version: '0.2.0' });
    const job = await eventually('a new Job', async () => {
      const name = await jobName();
      return name !== old && name;
    });
    const image = async () =>
      ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { template: { spec: { containers: { image: string }[] } } }).template.spec
        .containers[0]?.image;
    assert.match((await becomes('Ready', 'False')).message, /migration to version 0\.2\.0/);
    assert.equal(await image(), 'docker.io/parley/services:0.1.0');
    await makeReady('Job', job);
    await eventually('the new image', async () => (await image()) === 'docker.io/parley/services:0.2.0');
    await gone('Job', old);
  });

  it('changes nothing while it is paused, and still tells the status', async () => {
    await apply({});
    await makeAllReady();
    await apply({ paused: true, chat: { replicas: 1 } });
    await eventually('generation 2', async () => (await status()).observedGeneration === 2);
    assert.equal(((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas, 3);
    assert.match((await condition('Ready'))?.message ?? '', /paused/);
    await apply({ paused: false, chat: { replicas: 1 } });
    await eventually('one replica', async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 1);
  });

  it('says which part is missing and what to do next', async () => {
    await apply({});
    const { message } = await becomes('DependenciesReady', 'False');
    assert.match(message, /mysql has 0 of 1 replicas ready/);
    assert.match(message, /kubectl -n team-\d+ get pods -l app\.kubernetes\.io\/instance=demo/);
  });

  it('goes on after the API server was killed', async () => {
    await apply({});
    await makeReady('StatefulSet', 'demo-mysql');
    await server.restart();
    await apply({ chat: { replicas: 2 } });
    await makeAllReady();
    await eventually(
      'two replicas',
      async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 2,
    );
  });

  it('tells on the ChatCluster what it did', async () => {
    await apply({});
    await eventually('an event', async () => {
      const { items }: { items: { regarding: { name: string }; reason: string; note: string }[] } = await admin.request(
        'GET',
        `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
      );
      return items.some(
        ({ regarding, reason, note }) => regarding.name === 'demo' && reason === 'Applied' && note.includes('StatefulSet/demo-mysql'),
      );
    });
  });
});
