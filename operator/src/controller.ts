// Brings each change of a ChatCluster, its drills and what belongs to them to the queue, and gives each reconcile what it needs.
import type { Log } from '@parley/kit/process';
import type { PlanEnvironment } from '@parley/cdk8s';
import { CrdCheck } from './kinds/crd-check.ts';
import { Applier } from './kube/applier.ts';
import { systemClock, type Clock } from './kube/clock.ts';
import { Recorder } from './kube/recorder.ts';
import { keyOf } from './kube/store.ts';
import type { KubeObject, KubeTransport } from './kube/transport.ts';
import type { WorkQueue } from './kube/work-queue.ts';
import type { ClusterFacts } from './metrics/cluster-metrics.ts';
import type { OperatorMetrics } from './metrics/metrics.ts';
import { PACES, type Paces } from './paces.ts';
import { reconcileQueue } from './reconcile-queue.ts';
import type { ReconcileContext } from './reconcile.ts';
import { Connections, type PodConnections } from './rollout/connections.ts';
import type { MoveRequest } from './rollout/socket-moves.ts';
import type { SigningKeysAnswer } from './secrets/key-rotation.ts';
import { backupRuns } from './watch/backup-runs.ts';
import { Delivery, type DeliveryReport } from './watch/delivery.ts';
import { Watches } from './watches.ts';

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
  /** those that differ from {@link PACES} */
  paces?: Partial<Paces>;
  log: Log;
  metrics?: OperatorMetrics;
  clock?: Clock;
}

export class Controller {
  readonly #watches: Watches;
  readonly #connections: Connections;
  readonly #delivery: Delivery;
  /** undefined: the operator of one namespace may not read CRDs */
  readonly #crds: CrdCheck | undefined;
  readonly #context: ReconcileContext;
  readonly #queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #paces: Paces;
  #cancelResync = () => {};

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { transport, watchNamespace, log, metrics, clock = systemClock } = options;
    const paces = (this.#paces = { ...PACES, ...options.paces });
    this.#watches = new Watches({
      ...{ transport, clock, log, namespace: watchNamespace || undefined, kindsEveryMs: paces.kinds },
      onChange: (key) => this.#queue.add(key),
      onChangeForAll: () => this.#queueAll(),
      onRestart: (kind, reason) => {
        metrics?.watchRestarts.inc({ kind });
        log.warn({ kind, reason }, 'a watch starts over');
      },
    });
    const look = { everyMs: paces.ask, onChange: (key: string) => this.#queue.addAfter(key, paces.tell) };
    this.#connections = new Connections({ ...look, pods: () => this.#watches.podsOf('chat'), read: options.readConnections });
    this.#delivery = new Delivery({ ...look, pods: () => this.#watches.podsOf('canary'), read: options.readDelivery });
    this.#crds = watchNamespace ? undefined : this.#checkCrds();
    this.#context = this.#contextOf(options);
    this.#queue = reconcileQueue(this.#context, { clock, log, metrics });
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
    return this.#watches.owned(namespace, cluster);
  }

  /** Resolves when every watch has its first list and the first keys are queued. */
  async start(): Promise<void> {
    await this.#watches.startParts();
    // Asked before anything is told: a status that is true does not become unknown because the operator began anew.
    await Promise.all([this.#connections.look(), this.#delivery.look(), this.#crds?.look()]);
    await this.#watches.startClusters();
    this.#resyncLater();
    this.#connections.start();
    this.#delivery.start();
    this.#crds?.start();
    this.#options.log.info({ clusters: this.#watches.clusters().length }, 'watching');
  }

  /** Resolves when what runs has ended, and nothing is watched any more. */
  async stop(): Promise<void> {
    this.#cancelResync();
    this.#connections.close();
    this.#delivery.close();
    this.#crds?.close();
    await this.#queue.close();
    await this.#watches.stop();
  }

  /** For metrics. */
  clusters(): ClusterFacts[] {
    return this.#watches.clusters().map((live) => {
      const runs = ['CronJob', 'Job'].flatMap((kind) => this.#watches.ofKind(kind, keyOf(live.metadata)));
      return { live, backups: backupRuns(runs) };
    });
  }

  #contextOf({ transport, environment, instance, log, metrics, move, readKeys, drain }: ControllerOptions): ReconcileContext {
    const watches = this.#watches;
    return {
      ...{ transport, environment, move, readKeys, drain },
      applier: new Applier({ transport, live: (object) => watches.live(object), onSkip: () => metrics?.applySkips.inc() }),
      recorder: new Recorder({
        transport,
        instance,
        onError: (error) => log.warn({ reason: String(error) }, 'an event could not be written'),
      }),
      cluster: (key) => watches.cluster(key),
      owned: (namespace, cluster) => watches.owned(namespace, cluster),
      pods: (namespace, cluster) => watches.pods(namespace, cluster),
      drills: (namespace, cluster) => watches.drills(namespace, cluster),
      strimzi: (namespace, cluster) => watches.strimzi(namespace, cluster),
      served: () => watches.served,
      kindsGone: () => watches.kindsGone(),
      ...{ connections: this.#connections, delivery: this.#delivery },
      crds: () => this.#crds?.verdict,
      ...{ memory: new Map(), now: () => new Date() },
      onDrillEnd: (fault, result) => metrics?.drills.inc({ fault, result }),
      paces: this.#paces,
    };
  }

  #checkCrds(): CrdCheck {
    const { transport, log } = this.#options;
    return new CrdCheck({
      transport,
      everyMs: this.#paces.crds,
      onChange: () => this.#queueAll(),
      onError: (error) => log.warn({ reason: String(error) }, 'the CRDs could not be read'),
    });
  }

  #resyncLater(): void {
    this.#cancelResync = (this.#options.clock ?? systemClock).after(this.#paces.resync, () => {
      this.#queueAll();
      this.#resyncLater();
    });
  }

  #queueAll(): void {
    for (const { metadata } of this.#watches.clusters()) this.#queue.add(keyOf(metadata));
  }
}
