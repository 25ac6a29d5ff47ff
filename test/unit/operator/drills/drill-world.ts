// A ChatCluster that is ready, in memory, with a clock of its own: what the operator does in a drill, second by second, with the part of
// Kubernetes' controllers and of the canary played beside it.
import assert from 'node:assert/strict';
import { ALLOW_DRILLS_LABEL, isFinished, type ChatDrill, type DrillFault } from '@parley/operator-api';
import { PACES } from '../../../../operator/src/paces.ts';
import type { DeliveryReport } from '../../../../operator/src/watch/delivery.ts';
import { reconcile } from '../../../../operator/src/reconcile.ts';
import { Applier } from '../../../../operator/src/kube/applier.ts';
import { chatClusters, chatDrills, ownedResource, ownedResources, pathOf, pods } from '../../../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport } from '../../../../operator/src/kube/transport.ts';
import type { ReconcileContext } from '../../../../operator/src/reconcile.ts';
import { letRun } from '../../../helpers/crash.ts';
import { MemoryKube } from '../../../helpers/memory-kube.ts';

const NAMESPACE = 'team';
const KEY = `${NAMESPACE}/demo`;
const DRILL = pathOf(chatDrills, NAMESPACE, 'drill');
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const READY = { conditions: [{ type: 'Ready', status: 'True' }] };
const POD_KINDS = ['StatefulSet', 'Deployment'];
export const WATCH_MS = 10_000;
const ROUNDS_MAX = 400;

type Snapshot = Record<string, KubeObject[]>;

export class DrillWorld {
  readonly kube = new MemoryKube();
  nowMs = START_MS;
  report: DeliveryReport = {
    ...{ state: 'ok', reason: 'Delivering', message: 'all is well', acked: 100, sockets: 5, replicas: 3 },
    ...{ lost: 2, duplicated: 0, misordered: 0, p50Ms: 2, p99Ms: 9 },
  };
  /** names of pods, in the order in which they were told to go */
  readonly gone: string[] = [];
  readonly ends: string[] = [];
  /** address of the Redis that the chat replicas say they use */
  redis: string | undefined;
  #made = 0;
  #memory: ReconcileContext['memory'] = new Map();

  /** A cluster that is ready, and allows drills unless it says otherwise. */
  async begin(spec: object = {}, labels: Record<string, string> = { [ALLOW_DRILLS_LABEL]: 'true' }): Promise<this> {
    await this.apply(spec, labels);
    for (let round = 0; round < 6; round++) await this.second();
    return this;
  }

  apply(spec: object, labels: Record<string, string> = { [ALLOW_DRILLS_LABEL]: 'true' }): Promise<KubeObject> {
    return this.kube.request('PATCH', pathOf(chatClusters, NAMESPACE, 'demo'), {
      query: { fieldManager: 'user', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name: 'demo', namespace: NAMESPACE, labels }, spec },
    });
  }

  async drill(fault: DrillFault, { name = 'drill', ...more }: { name?: string; durationSeconds?: number; timeoutSeconds?: number } = {}) {
    const creationTimestamp = new Date(this.nowMs).toISOString();
    await this.kube.request('POST', pathOf(chatDrills, NAMESPACE), {
      body: {
        ...{ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatDrill', metadata: { name, namespace: NAMESPACE, creationTimestamp } },
        spec: { cluster: 'demo', fault, ...more },
      },
    });
  }

  async found(name = 'drill'): Promise<ChatDrill> {
    return this.kube.request<ChatDrill>('GET', pathOf(chatDrills, NAMESPACE, name));
  }
  /** Its one condition that is True. */
  async told(name = 'drill') {
    const trues = ((await this.found(name)).status?.conditions ?? []).filter(({ status }) => status === 'True');
    assert.ok(trues.length <= 1, JSON.stringify(trues));
    return trues[0];
  }
  remove = (): Promise<KubeObject> => this.kube.request('DELETE', DRILL);

  async set(name: string): Promise<{ replicas: number; marked: boolean }> {
    const { spec, metadata } = await this.kube.request<KubeObject>('GET', pathOf(ownedResource('StatefulSet'), NAMESPACE, `demo-${name}`));
    const { replicas } = spec as { replicas: number };
    return { replicas, marked: metadata.annotations?.['chat.parley.dev/drill-fault'] !== undefined };
  }

  /** A new process: what it only remembered is gone. */
  forget(): void {
    this.#memory = new Map();
  }

  /** One look of the operator and one second of everybody else. */
  async second(transport: KubeTransport = this.kube): Promise<void> {
    await reconcile(KEY, await this.#context(transport)).catch((error: unknown) => {
      if (!/the process is dead/.test(String(error))) throw error;
    });
    await letRun(this.kube, NAMESPACE);
    await this.#makePods();
    this.nowMs += 1000;
    if ((await this.set('mysql').catch(() => ({ replicas: 0 }))).replicas > 0)
      this.report = { ...this.report, acked: this.report.acked + 1 };
  }

  /** Seconds until the drill has ended, or the process is dead. Returns what happened in between, as reasons. */
  async run(transport: KubeTransport & { dead?: boolean } = this.kube, name = 'drill'): Promise<string[]> {
    const story: string[] = [];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await this.second(transport);
      const reason = (await this.told(name))?.reason ?? '';
      if (story.at(-1) !== reason) story.push(reason);
      if (transport.dead || isFinished(await this.found(name))) return story;
    }
    return assert.fail(`it does not end: ${JSON.stringify((await this.found(name)).status)}`);
  }

  async #list(resource: Parameters<typeof pathOf>[0]): Promise<KubeObject[]> {
    return (await this.kube.request<{ items: KubeObject[] }>('GET', pathOf(resource, NAMESPACE))).items;
  }

  async #context(transport: KubeTransport): Promise<ReconcileContext> {
    const seen: Snapshot = {};
    for (const resource of [chatClusters, chatDrills, pods, ...ownedResources]) seen[resource.kind] = await this.#list(resource);
    const named = (kind: string, name: string) => seen[kind]?.find(({ metadata }) => metadata.name === name);
    const watched: KubeTransport = {
      request: (method, path, options) => {
        if (method === 'DELETE' && path.includes('/pods/')) this.gone.push(path.split('/').at(-1) ?? '');
        return transport.request(method, path, options);
      },
      stream: (...args) => transport.stream(...args),
    };
    return {
      transport: watched,
      applier: new Applier({ transport: watched, live: ({ kind, metadata }) => named(kind, metadata.name) }),
      recorder: { record: () => {} } as unknown as ReconcileContext['recorder'],
      environment: { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' },
      cluster: () => named('ChatCluster', 'demo'),
      owned: () => ownedResources.flatMap(({ kind }) => (seen[kind] ?? []).map((object) => ({ ...object, kind }))),
      served: () => [],
      kindsGone: () => Promise.resolve(false),
      pods: () => seen['Pod'] ?? [],
      connections: {
        of: (uid) => ({
          connections: seen['Pod']?.findIndex(({ metadata }) => metadata.uid === uid) ?? 0,
          maxConnections: 1000,
          draining: false,
          ...(this.redis === undefined ? {} : { redis: this.redis }),
        }),
        settled: () => false,
      },
      delivery: { of: () => ({ report: this.report, failingSinceMs: undefined, askedAtMs: this.nowMs }) },
      move: () => Promise.resolve(0),
      drain: () => Promise.resolve({}),
      readKeys: () => Promise.reject(new Error('there is no auth')),
      memory: this.#memory,
      now: () => new Date(this.nowMs),
      drills: () => seen['ChatDrill'] ?? [],
      onDrillEnd: (fault, result) => void this.ends.push(`${fault} ${result}`),
      crds: () => undefined,
      paces: { ...PACES, drillWatch: WATCH_MS },
    };
  }

  /** As many as are asked for, each ready at once. */
  async #makePods(): Promise<void> {
    const sets = (await Promise.all(ownedResources.filter(({ kind }) => POD_KINDS.includes(kind)).map((each) => this.#list(each)))).flat();
    const there = await this.#list(pods);
    for (const { metadata, spec } of sets) {
      const component = metadata.labels?.['app.kubernetes.io/component'];
      const { replicas } = spec as { replicas: number };
      const ours = there.filter((pod) => pod.metadata.labels?.['app.kubernetes.io/component'] === component);
      for (const pod of ours.slice(replicas)) await this.kube.request('DELETE', pathOf(pods, NAMESPACE, pod.metadata.name));
      for (let index = ours.length; index < replicas; index++) {
        const name = `${metadata.name}-${this.#made++}`;
        await this.kube.request('POST', pathOf(pods, NAMESPACE), {
          body: {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name, namespace: NAMESPACE, labels: metadata.labels },
            status: { ...READY, podIP: `10.0.0.${this.#made}` },
          },
        });
      }
    }
  }
}
