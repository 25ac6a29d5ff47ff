// Everything that the controller watches, and what it shows: ChatClusters, their drills, the objects and pods of both, and kinds that may be
// missing. Each change comes out as the key of its cluster.
import type { Log } from '@parley/kit/process';
import { MANAGED_BY, type MonitoringKind } from '@parley/cdk8s';
import { OptionalWatches } from './kinds/optional-watches.ts';
import { Strimzi, type StrimziSeen } from './kinds/strimzi.ts';
import type { Clock } from './kube/clock.ts';
import { Reflector, type ReflectorOptions } from './kube/reflector.ts';
import { chatClusters, chatDrills, clusterOf, isKeptVolume, ownedResources, pathOf, pods, type Resource } from './kube/resources.ts';
import { keyOf } from './kube/store.ts';
import type { KubeObject, KubeTransport } from './kube/transport.ts';
import { podFacts, type PodFacts } from './watch/pods.ts';

export interface WatchesOptions {
  transport: KubeTransport;
  clock: Clock;
  /** undefined: all namespaces */
  namespace: string | undefined;
  log: Log;
  /** how often it is looked whether prometheus-operator has come or gone, in ms */
  kindsEveryMs: number;
  /** the cluster, as `namespace/name`, of which something changed */
  onChange: (key: string) => void;
  /** something changed that every cluster looks at */
  onChangeForAll: () => void;
  /** a watch of this kind starts over */
  onRestart: (kind: string, reason: string) => void;
}

const OURS = `app.kubernetes.io/managed-by=${MANAGED_BY}`;

export class Watches {
  readonly #clusters: Reflector;
  readonly #owned: Map<string, Reflector>;
  readonly #pods: Reflector;
  readonly #drills: Reflector;
  readonly #strimzi: Strimzi;
  readonly #optional: OptionalWatches;
  readonly #options: WatchesOptions;
  /** The ChatClusters are known: what changed before is looked at with them. */
  #watching = false;
  #drillsFailed!: () => void;
  readonly #drillsAway = new Promise<void>((resolve) => (this.#drillsFailed = resolve));

  constructor(options: WatchesOptions) {
    this.#options = options;
    const { transport, clock, log, namespace, kindsEveryMs, onChange, onChangeForAll, onRestart } = options;
    this.#clusters = this.#watch(chatClusters, { onChange: (object) => onChange(keyOf(object.metadata)) });
    this.#owned = new Map(
      ownedResources.map((resource) => [
        resource.kind,
        this.#watch(resource, {
          // Claims of a StatefulSet carry the labels of its selector and no others.
          labelSelector: isKeptVolume(resource) ? 'app.kubernetes.io/name=parley' : OURS,
          kind: resource.kind,
          groupOf: clusterOf,
        }),
      ]),
    );
    // They are of the workloads' controllers, not ours: watched for what they tell, never pruned.
    this.#pods = this.#watch(pods, { labelSelector: OURS, groupOf: clusterOf });
    // People make them, as they make ChatClusters.
    this.#drills = this.#watch(chatDrills, {
      onChange: (object) => this.#drillChanged(object),
      onRestart: (reason) => {
        // An API server that does not know the kind, of an older install, must not stop the rest.
        this.#drillsFailed();
        onRestart(chatDrills.kind, reason);
      },
    });
    this.#strimzi = new Strimzi({
      ...{ transport, clock, log, namespace, onRestart },
      onChange: (object) => this.#changed(object),
      onState: onChangeForAll,
    });
    this.#optional = new OptionalWatches({
      ...{ transport, clock, namespace, everyMs: kindsEveryMs },
      onRestart: (kind) => (reason) => onRestart(kind, reason),
      onChange: (object) => this.#changed(object),
      onServed: onChangeForAll,
    });
  }

  #watch(resource: Resource, more: Partial<ReflectorOptions>): Reflector {
    const { transport, clock, namespace, onRestart } = this.#options;
    return new Reflector({
      ...{ transport, clock, path: pathOf(resource, namespace) },
      onChange: (object) => this.#changed(object),
      onRestart: (reason) => onRestart(resource.kind, reason),
      ...more,
    });
  }

  /** Resolves when everything has its first list but the ChatClusters, which are not watched yet. */
  async startParts(): Promise<void> {
    const first = [...this.#owned.values(), this.#pods];
    for (const reflector of [...first, this.#drills]) reflector.start();
    const synced = [...first.map((reflector) => reflector.synced), Promise.race([this.#drills.synced, this.#drillsAway])];
    await Promise.all([...synced, this.#optional.start()]);
  }

  /** Resolves when the ChatClusters are known and each was told as a change. */
  async startClusters(): Promise<void> {
    this.#clusters.start();
    await this.#clusters.synced;
    // Not before: of a ChatCluster that is not seen yet its drills would be told that there is none.
    this.#watching = true;
    for (const drill of this.#drills.store.list()) this.#drillChanged(drill);
  }

  async stop(): Promise<void> {
    const watches = [this.#strimzi, this.#clusters, this.#drills, this.#pods, this.#optional, ...this.#owned.values()];
    await Promise.all(watches.map((each) => each.stop()));
  }

  clusters(): KubeObject[] {
    return this.#clusters.store.list();
  }

  /** By `namespace/name`. */
  cluster(key: string): KubeObject | undefined {
    return this.#clusters.store.get(key);
  }

  /** Every object that carries the labels of a cluster. */
  owned(namespace: string, cluster: string): KubeObject[] {
    const key = keyOf({ namespace, name: cluster });
    return [...this.#owned.values(), ...this.#optional.reflectors().values()].flatMap(({ store }) => store.group(key));
  }

  /** Those of one kind. */
  ofKind(kind: string, key: string): KubeObject[] {
    return this.#owned.get(kind)?.store.group(key) ?? [];
  }

  pods(namespace: string, cluster: string): KubeObject[] {
    return this.#pods.store.group(keyOf({ namespace, name: cluster }));
  }

  /** The pods of one component of all clusters. */
  podsOf(component: PodFacts['component']): PodFacts[] {
    return this.#pods.store
      .list()
      .map(podFacts)
      .filter((pod) => pod.component === component);
  }

  drills(namespace: string, cluster: string): KubeObject[] {
    return this.#drills.store.list().filter((drill) => drill.metadata.namespace === namespace && drilledCluster(drill) === cluster);
  }

  /** Kafka of mode strimzi; the first call begins to look. */
  strimzi(namespace: string, cluster: string): StrimziSeen {
    return this.#strimzi.seen(namespace, cluster);
  }

  /** An object that we may apply, as it was seen last. */
  live(object: KubeObject): KubeObject | undefined {
    const key = keyOf(object.metadata);
    return (this.#owned.get(object.kind) ?? this.#optional.reflectors().get(object.kind))?.store.get(key) ?? this.#strimzi.live(object);
  }

  /** Kinds of prometheus-operator that there are. */
  get served(): MonitoringKind[] {
    return this.#optional.served;
  }

  /** Asks the API server whether some of these have gone. */
  kindsGone(): Promise<boolean> {
    return this.#optional.kindsGone();
  }

  #drillChanged(drill: KubeObject): void {
    const name = drilledCluster(drill);
    if (this.#watching && name) this.#options.onChange(keyOf({ namespace: drill.metadata.namespace ?? '', name }));
  }

  #changed(object: KubeObject): void {
    const key = clusterOf(object);
    if (this.#watching && key !== undefined) this.#options.onChange(key);
  }
}

const drilledCluster = ({ spec }: KubeObject): string | undefined => (spec as { cluster?: string } | undefined)?.cluster;
