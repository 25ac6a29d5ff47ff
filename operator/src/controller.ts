// Watches ChatClusters and what belongs to them, and brings each change to the queue as the key of its cluster.
import type { Logger } from 'pino';
import { MANAGED_BY, type PlanEnvironment } from '@parley/cdk8s';
import { Applier } from './kube/applier.ts';
import { systemClock, type Clock } from './kube/clock.ts';
import { Recorder } from './kube/recorder.ts';
import { Reflector } from './kube/reflector.ts';
import { chatClusters, ownedResources, pathOf, pods } from './kube/resources.ts';
import { keyOf } from './kube/store.ts';
import type { KubeObject, KubeTransport } from './kube/transport.ts';
import { WorkQueue } from './kube/work-queue.ts';
import type { OperatorMetrics } from './metrics.ts';
import { Connections, type PodConnections } from './connections.ts';
import { podFacts, type PodFacts } from './pods.ts';
import { reconcile, type ReconcileContext } from './reconcile.ts';

const INSTANCE_LABEL = 'app.kubernetes.io/instance';
/** Everything is looked at again this often, in case a watch lied. */
const RESYNC_MS = 10 * 60_000;
/** Sockets come and go all the time: the status tells their number this often at most. */
const CONNECTIONS_MS = 10_000;

export interface ControllerOptions {
  transport: KubeTransport;
  environment: PlanEnvironment;
  /** empty: all namespaces */
  watchNamespace: string;
  instance: string;
  /** asks a chat replica for its sockets, by the address of its pod; throws when it does not answer */
  readConnections: (ip: string) => Promise<PodConnections>;
  connectionsEveryMs?: number;
  log: Logger;
  metrics?: OperatorMetrics;
  clock?: Clock;
}

export class Controller {
  readonly #clusters: Reflector;
  readonly #owned: Map<string, Reflector>;
  readonly #pods: Reflector;
  readonly #connections: Connections;
  readonly #queue: WorkQueue;
  readonly #options: ControllerOptions;
  #cancelResync = () => {};

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { transport, environment, watchNamespace, log, metrics, instance, clock = systemClock } = options;
    const namespace = watchNamespace || undefined;
    const onRestart = (kind: string) => (reason: string) => {
      metrics?.watchRestarts.inc({ kind });
      log.warn({ kind, reason }, 'a watch starts over');
    };
    this.#clusters = new Reflector({
      transport,
      clock,
      path: pathOf(chatClusters, namespace),
      onChange: (object) => this.#queue.add(keyOf(object.metadata)),
      onRestart: onRestart('ChatCluster'),
    });
    this.#owned = new Map(
      ownedResources.map((resource) => [
        resource.kind,
        new Reflector({
          transport,
          clock,
          path: pathOf(resource, namespace),
          labelSelector: `app.kubernetes.io/managed-by=${MANAGED_BY}`,
          onChange: (object) => this.#changed(object),
          onRestart: onRestart(resource.kind),
        }),
      ]),
    );
    // They are of the workloads' controllers, not ours: watched for what they tell, never pruned.
    this.#pods = new Reflector({
      transport,
      clock,
      path: pathOf(pods, namespace),
      labelSelector: `app.kubernetes.io/managed-by=${MANAGED_BY}`,
      onChange: (object) => this.#changed(object),
      onRestart: onRestart('Pod'),
    });
    this.#connections = new Connections({
      pods: () => this.#podFacts().filter(({ component }) => component === 'chat'),
      read: options.readConnections,
      ...(options.connectionsEveryMs === undefined ? {} : { everyMs: options.connectionsEveryMs }),
      onChange: (key) => this.#queue.addAfter(key, CONNECTIONS_MS),
    });
    const context: ReconcileContext = {
      transport,
      environment,
      applier: new Applier({ transport, live: (object) => this.#live(object), onSkip: () => metrics?.applySkips.inc() }),
      recorder: new Recorder({
        transport,
        instance,
        onError: (error) => log.warn({ reason: String(error) }, 'an event could not be written'),
      }),
      cluster: (key) => this.#clusters.store.get(key),
      owned: (ns, cluster) => this.owned(ns, cluster),
      pods: (ns, cluster) => this.#podsOf(ns, cluster),
      connections: this.#connections,
      memory: new Map(),
      now: () => new Date(),
    };
    this.#queue = new WorkQueue({
      clock,
      onStart: (waitedMs) => metrics?.queueSeconds.observe(waitedMs / 1000),
      run: async (key) => {
        const end = metrics?.reconcileSeconds.startTimer();
        try {
          const result = await reconcile(key, context);
          metrics?.reconciles.inc({ result: 'ok' });
          return result;
        } finally {
          // A reconcile that fails by a time-out is the one worth seeing.
          end?.();
        }
      },
      onError: (key, error) => {
        metrics?.reconciles.inc({ result: 'error' });
        log.error({ cluster: key, reason: error instanceof Error ? error.message : String(error) }, 'a reconcile failed');
      },
    });
  }

  get queueDepth(): number {
    return this.#queue.depth;
  }

  /** Objects of one cluster, as the watches show them. */
  owned(namespace: string, cluster: string): KubeObject[] {
    return [...this.#owned.entries()].flatMap(([kind, reflector]) =>
      reflector.store
        .list()
        .filter((object) => object.metadata.namespace === namespace && object.metadata.labels?.[INSTANCE_LABEL] === cluster)
        // Items of a list carry neither kind nor apiVersion.
        .map((object) => ({ ...object, kind })),
    );
  }

  /** Resolves when every watch has its first list and the first keys are queued. */
  async start(): Promise<void> {
    const first = [...this.#owned.values(), this.#pods];
    for (const reflector of first) reflector.start();
    await Promise.all(first.map((reflector) => reflector.synced));
    this.#clusters.start();
    await this.#clusters.synced;
    this.#resyncLater();
    this.#connections.start();
    this.#options.log.info({ clusters: this.#clusters.store.list().length }, 'watching');
  }

  async stop(): Promise<void> {
    this.#cancelResync();
    this.#connections.close();
    await this.#queue.close();
    await Promise.all([this.#clusters, this.#pods, ...this.#owned.values()].map((reflector) => reflector.stop()));
  }

  #resyncLater(): void {
    this.#cancelResync = (this.#options.clock ?? systemClock).after(RESYNC_MS, () => {
      for (const { metadata } of this.#clusters.store.list()) this.#queue.add(keyOf(metadata));
      this.#resyncLater();
    });
  }

  #changed(object: KubeObject): void {
    const cluster = object.metadata.labels?.[INSTANCE_LABEL];
    if (cluster) this.#queue.add(keyOf({ namespace: object.metadata.namespace ?? '', name: cluster }));
  }

  #podsOf(namespace: string, cluster: string): KubeObject[] {
    return this.#pods.store
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[INSTANCE_LABEL] === cluster);
  }

  #podFacts(): PodFacts[] {
    return this.#pods.store.list().map(podFacts);
  }

  #live({ kind, metadata }: KubeObject): KubeObject | undefined {
    return this.#owned.get(kind)?.store.get(keyOf(metadata));
  }
}
