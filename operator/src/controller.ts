// Watches ChatClusters, their drills and what belongs to them, and brings each change to the queue as the key of its cluster.
import type { Logger } from 'pino';
import { MANAGED_BY, type PlanEnvironment } from '@parley/cdk8s';
import { Applier } from './kube/applier.ts';
import { systemClock, type Clock } from './kube/clock.ts';
import { Recorder } from './kube/recorder.ts';
import { Reflector } from './kube/reflector.ts';
import { chatClusters, chatDrills, clusterOf, isKeptVolume, ownedResources, pathOf, pods, type Resource } from './kube/resources.ts';
import { keyOf } from './kube/store.ts';
import type { KubeObject, KubeTransport } from './kube/transport.ts';
import { WorkQueue } from './kube/work-queue.ts';
import type { OperatorMetrics } from './metrics/metrics.ts';
import { Connections, type PodConnections } from './rollout/connections.ts';
import { CrdCheck } from './kinds/crd-check.ts';
import { Delivery, type DeliveryReport } from './watch/delivery.ts';
import { podFacts, type PodFacts } from './watch/pods.ts';
import type { MoveRequest } from './rollout/socket-moves.ts';
import { reconcile } from './drills/drills.ts';
import { Strimzi } from './kinds/strimzi.ts';
import { backupRuns } from './watch/backup-runs.ts';
import type { ClusterFacts } from './metrics/cluster-metrics.ts';
import { OptionalWatches } from './kinds/optional-watches.ts';
import type { ReconcileContext } from './reconcile.ts';
import type { SigningKeysAnswer } from './secrets/key-rotation.ts';

/** Everything is looked at again this often, in case a watch lied. */
const RESYNC_MS = 10 * 60_000;
/** Sockets come and go all the time: the status tells their number this often at most. */
const CONNECTIONS_MS = 10_000;
/** The canary counts a message as lost after 30 seconds, sends one every few seconds, and is asked every few seconds. */
const DRILL_WATCH_MS = 45_000;

export interface ControllerOptions {
  transport: KubeTransport;
  environment: PlanEnvironment;
  /** empty: all namespaces */
  watchNamespace: string;
  instance: string;
  /** asks a chat replica for its sockets, by the address of its pod; throws when it does not answer */
  readConnections: (ip: string) => Promise<PodConnections>;
  /** asks a chat replica to move sockets; resolves with their number */
  move: (ip: string, request: MoveRequest) => Promise<number>;
  /** asks a chat replica to let all of its sockets go, or to take sockets again */
  drain: (ip: string, drain: boolean) => Promise<unknown>;
  /** asks a replica of auth for the ids of its keys */
  readKeys: (ip: string) => Promise<SigningKeysAnswer>;
  /** asks a canary what it found */
  readDelivery: (ip: string) => Promise<DeliveryReport>;
  /** how often both are asked */
  lookEveryMs?: number;
  /** how often the CRDs are looked at */
  crdsEveryMs?: number;
  /** how often it is looked whether prometheus-operator has come or gone */
  servedEveryMs?: number;
  /** how long the canary is watched after the recovery of a drill */
  drillWatchMs?: number;
  log: Logger;
  metrics?: OperatorMetrics;
  clock?: Clock;
}

export class Controller {
  readonly #clusters: Reflector;
  readonly #owned: Map<string, Reflector>;
  readonly #pods: Reflector;
  readonly #drills: Reflector;
  readonly #strimzi: Strimzi;
  readonly #optional: OptionalWatches;
  readonly #connections: Connections;
  readonly #delivery: Delivery;
  /** undefined: the operator of one namespace may not read CRDs */
  readonly #crds: CrdCheck | undefined;
  readonly #queue: WorkQueue;
  readonly #context: ReconcileContext;
  readonly #options: ControllerOptions;
  #cancelResync = () => {};
  /** The ChatClusters are known: what changed before is looked at with them. */
  #watching = false;
  #drillsSeen!: () => void;
  readonly #drillsFailed = new Promise<void>((resolve) => (this.#drillsSeen = resolve));

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
    this.#owned = new Map(ownedResources.map((resource) => [resource.kind, this.#watchOwned(resource, onRestart(resource.kind))]));
    // They are of the workloads' controllers, not ours: watched for what they tell, never pruned.
    this.#pods = new Reflector({
      transport,
      clock,
      path: pathOf(pods, namespace),
      labelSelector: `app.kubernetes.io/managed-by=${MANAGED_BY}`,
      groupOf: clusterOf,
      onChange: (object) => this.#changed(object),
      onRestart: onRestart('Pod'),
    });
    this.#drills = this.#watchDrills(onRestart(chatDrills.kind));
    this.#strimzi = this.#lookForStrimzi(onRestart);
    this.#optional = this.#watchOptional(onRestart);
    const every = options.lookEveryMs === undefined ? {} : { everyMs: options.lookEveryMs };
    this.#connections = new Connections({
      pods: () => this.#podFacts().filter(({ component }) => component === 'chat'),
      read: options.readConnections,
      ...every,
      onChange: (key) => this.#queue.addAfter(key, CONNECTIONS_MS),
    });
    this.#delivery = new Delivery({
      pods: () => this.#podFacts().filter(({ component }) => component === 'canary'),
      read: options.readDelivery,
      ...every,
      onChange: (key) => this.#queue.addAfter(key, CONNECTIONS_MS),
    });
    this.#crds = watchNamespace ? undefined : this.#checkCrds();
    const context: ReconcileContext = (this.#context = {
      transport,
      environment,
      applier: new Applier({ transport, live: (object) => this.#live(object), onSkip: () => metrics?.applySkips.inc() }),
      recorder: new Recorder({
        transport,
        instance,
        onError: (error) => log.warn({ reason: String(error) }, 'an event could not be written'),
      }),
      cluster: (key) => this.#clusters.store.get(key),
      ...{ owned: (ns, cluster) => this.owned(ns, cluster), served: () => this.#optional.served },
      kindsGone: () => this.#optional.kindsGone(),
      pods: (ns, cluster) => this.#podsOf(ns, cluster),
      ...{ connections: this.#connections, delivery: this.#delivery },
      crds: () => this.#crds?.verdict,
      ...{ move: options.move, readKeys: options.readKeys, drain: options.drain },
      ...{ memory: new Map(), now: () => new Date() },
      strimzi: (ns, cluster) => this.#strimzi.seen(ns, cluster),
      drills: (ns, cluster) => this.#drillsOf(ns, cluster),
      onDrillEnd: (fault, result) => metrics?.drills.inc({ fault, result }),
      drillWatchMs: options.drillWatchMs ?? DRILL_WATCH_MS,
    });
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

  /** ChatClusters of which something is remembered, and those of which it is known what was applied. */
  get remembered(): { clusters: number; applied: number } {
    return { clusters: this.#context.memory.size, applied: this.#context.applier.known };
  }

  /** Objects of one cluster, as the watches show them. */
  owned(namespace: string, cluster: string): KubeObject[] {
    const key = keyOf({ namespace, name: cluster });
    return [...this.#owned.values(), ...this.#optional.reflectors().values()].flatMap(({ store }) => store.group(key));
  }

  /** Resolves when every watch has its first list and the first keys are queued. */
  async start(): Promise<void> {
    const first = [...this.#owned.values(), this.#pods];
    for (const reflector of [...first, this.#drills]) reflector.start();
    const synced = [...first.map((reflector) => reflector.synced), Promise.race([this.#drills.synced, this.#drillsFailed])];
    await Promise.all([...synced, this.#optional.start()]);
    // Asked before anything is told: a status that is true does not become unknown because the operator began anew.
    await Promise.all([this.#connections.look(), this.#delivery.look(), this.#crds?.look()]);
    this.#clusters.start();
    await this.#clusters.synced;
    // Not before: of a ChatCluster that is not seen yet its drills would be told that there is none.
    this.#watching = true;
    for (const drill of this.#drills.store.list()) this.#drillChanged(drill);
    this.#resyncLater();
    this.#connections.start();
    this.#delivery.start();
    this.#crds?.start();
    this.#options.log.info({ clusters: this.#clusters.store.list().length }, 'watching');
  }

  async stop(): Promise<void> {
    this.#cancelResync();
    this.#connections.close();
    this.#delivery.close();
    this.#crds?.close();
    await this.#queue.close();
    const watches = [this.#strimzi, this.#clusters, this.#drills, this.#pods, this.#optional, ...this.#owned.values()];
    await Promise.all(watches.map((each) => each.stop()));
  }

  /** For metrics. */
  clusters(): ClusterFacts[] {
    return this.#clusters.store.list().map((live) => {
      const runs = ['CronJob', 'Job'].flatMap((kind) => this.#owned.get(kind)?.store.group(keyOf(live.metadata)) ?? []);
      return { live, backups: backupRuns(runs) };
    });
  }

  #resyncLater(): void {
    this.#cancelResync = (this.#options.clock ?? systemClock).after(RESYNC_MS, () => {
      this.#queueAll();
      this.#resyncLater();
    });
  }

  #lookForStrimzi(onRestart: (kind: string) => (reason: string) => void): Strimzi {
    const { transport, watchNamespace, log, clock = systemClock } = this.#options;
    return new Strimzi({
      ...{ transport, clock, log, namespace: watchNamespace || undefined },
      onChange: (object) => this.#changed(object),
      onState: () => this.#queueAll(),
      onRestart: (kind, reason) => onRestart(kind)(reason),
    });
  }

  #queueAll(): void {
    for (const { metadata } of this.#clusters.store.list()) this.#queue.add(keyOf(metadata));
  }

  #watchOwned(resource: Resource, onRestart: (reason: string) => void): Reflector {
    const { transport, watchNamespace, clock = systemClock } = this.#options;
    return new Reflector({
      transport,
      clock,
      path: pathOf(resource, watchNamespace || undefined),
      // Claims of a StatefulSet carry the labels of its selector and no others.
      labelSelector: isKeptVolume(resource) ? 'app.kubernetes.io/name=parley' : `app.kubernetes.io/managed-by=${MANAGED_BY}`,
      kind: resource.kind,
      groupOf: clusterOf,
      onChange: (object) => this.#changed(object),
      onRestart,
    });
  }

  #checkCrds(): CrdCheck {
    const { transport, crdsEveryMs, log } = this.#options;
    return new CrdCheck({
      transport,
      ...(crdsEveryMs === undefined ? {} : { everyMs: crdsEveryMs }),
      onChange: () => this.#queueAll(),
      onError: (error) => log.warn({ reason: String(error) }, 'the CRDs could not be read'),
    });
  }

  /** People make them, as they make ChatClusters. */
  #watchDrills(onRestart: (reason: string) => void): Reflector {
    const { transport, watchNamespace, clock = systemClock } = this.#options;
    return new Reflector({
      transport,
      clock,
      path: pathOf(chatDrills, watchNamespace || undefined),
      onChange: (object) => this.#drillChanged(object),
      onRestart: (reason) => {
        // An API server that does not know the kind, of an older install, must not stop the rest.
        this.#drillsSeen();
        onRestart(reason);
      },
    });
  }

  #watchOptional(onRestart: (kind: string) => (reason: string) => void): OptionalWatches {
    const { transport, watchNamespace, clock = systemClock, servedEveryMs } = this.#options;
    return new OptionalWatches({
      ...{ transport, clock, onRestart, namespace: watchNamespace || undefined, everyMs: servedEveryMs },
      onChange: (object) => this.#changed(object),
      onServed: () => this.#queueAll(),
    });
  }

  #drillsOf(namespace: string, cluster: string): KubeObject[] {
    return this.#drills.store.list().filter((drill) => drill.metadata.namespace === namespace && drilledCluster(drill) === cluster);
  }

  #drillChanged(drill: KubeObject): void {
    const name = drilledCluster(drill);
    if (this.#watching && name) this.#queue.add(keyOf({ namespace: drill.metadata.namespace ?? '', name }));
  }

  #changed(object: KubeObject): void {
    const key = clusterOf(object);
    if (this.#watching && key !== undefined) this.#queue.add(key);
  }

  #podsOf(namespace: string, cluster: string): KubeObject[] {
    return this.#pods.store.group(keyOf({ namespace, name: cluster }));
  }

  #podFacts(): PodFacts[] {
    return this.#pods.store.list().map(podFacts);
  }

  #live(object: KubeObject): KubeObject | undefined {
    const key = keyOf(object.metadata);
    return (this.#owned.get(object.kind) ?? this.#optional.reflectors().get(object.kind))?.store.get(key) ?? this.#strimzi.live(object);
  }
}

const drilledCluster = ({ spec }: KubeObject): string | undefined => (spec as { cluster?: string } | undefined)?.cluster;
