// Watches of kinds that not every API server knows, those of prometheus-operator. Whether it knows them is asked now and then: a watch of a
// kind that is not there would fail over and over. Kinds that come later are noticed, and those that go.
import { MANAGED_BY, monitoringWishes, type MonitoringKind, type Plan } from '@parley/cdk8s';
import type { Clock } from '../kube/clock.ts';
import { Reflector } from '../kube/reflector.ts';
import { clusterOf, optionalResources, pathOf, type Resource } from '../kube/resources.ts';
import { isNotFound, type KubeObject, type KubeTransport } from '../kube/transport.ts';

export interface OptionalWatchesOptions {
  transport: KubeTransport;
  clock: Clock;
  namespace: string | undefined;
  onChange: (object: KubeObject) => void;
  onRestart: (kind: string) => (reason: string) => void;
  /** Kinds have come or gone. */
  onServed: () => void;
  everyMs: number;
}

export class OptionalWatches {
  readonly #options: OptionalWatchesOptions;
  readonly #reflectors = new Map<string, Reflector>();
  /** Their first list is there: what exists is known, so that it can be applied and removed. */
  readonly #served = new Set<MonitoringKind>();
  #cancel = () => {};
  #closed = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: OptionalWatchesOptions) {
    this.#options = options;
  }

  get served(): MonitoringKind[] {
    return [...this.#served].sort();
  }

  reflectors(): ReadonlyMap<string, Reflector> {
    return this.#reflectors;
  }

  /** Resolves when it is known which kinds there are, and their first lists are there or refused. */
  async start(): Promise<void> {
    await this.#lookNext();
    this.#later();
  }

  /** Looks at once: an object of a kind that is served was refused as unknown. */
  async kindsGone(): Promise<boolean> {
    const before = this.served;
    await this.#lookNext();
    return before.some((kind) => !this.#served.has(kind));
  }

  async stop(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#looking;
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
  }

  #later(): void {
    if (this.#closed) return;
    this.#cancel = this.#options.clock.after(this.#options.everyMs, () => {
      void this.#lookNext().then(() => this.#later());
    });
  }

  /** One after the other. */
  #lookNext(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    const known = await this.#knownPlurals();
    // The API server did not say: what it said before holds.
    if (known === undefined || this.#closed) return;
    await Promise.all(
      optionalResources.map(async ({ kind, ...resource }) => {
        const watched = this.#reflectors.get(kind);
        if (known.has(resource.plural) && !watched) await this.#watch({ kind, ...resource });
        if (!known.has(resource.plural) && watched) await this.#forget(kind, watched);
      }),
    );
  }

  async #knownPlurals(): Promise<ReadonlySet<string> | undefined> {
    const [{ prefix }] = optionalResources as [Resource];
    try {
      const { resources } = await this.#options.transport.request<{ resources: { name: string }[] }>('GET', `/${prefix}`);
      return new Set(resources.map(({ name }) => name));
    } catch (error) {
      return isNotFound(error) ? new Set() : undefined;
    }
  }

  async #watch(resource: Resource): Promise<void> {
    const { transport, clock, namespace, onChange, onRestart, onServed } = this.#options;
    let failed!: () => void;
    const firstFailure = new Promise<void>((resolve) => (failed = resolve));
    const report = onRestart(resource.kind);
    const reflector = new Reflector({
      ...{ transport, clock, onChange },
      path: pathOf(resource, namespace),
      labelSelector: `app.kubernetes.io/managed-by=${MANAGED_BY}`,
      kind: resource.kind,
      groupOf: clusterOf,
      // One that may not be listed, by the roles of an older install, must not stop the rest.
      onRestart: (reason) => {
        failed();
        report(reason);
      },
    });
    this.#reflectors.set(resource.kind, reflector);
    reflector.start();
    const ready = reflector.synced.then(() => {
      if (this.#reflectors.get(resource.kind) !== reflector) return;
      this.#served.add(resource.kind as MonitoringKind);
      onServed();
    });
    await Promise.race([ready, firstFailure]);
  }

  async #forget(kind: string, reflector: Reflector): Promise<void> {
    this.#reflectors.delete(kind);
    this.#served.delete(kind as MonitoringKind);
    await reflector.stop();
    this.#options.onServed();
  }
}

/** A sentence for each kind of prometheus-operator that is `always` wanted and not served. Pure. */
export function missingKinds(plan: Plan, served: readonly MonitoringKind[]): string[] {
  return monitoringWishes(plan)
    .filter(({ kind, wish }) => wish === 'always' && !served.includes(kind))
    .map(
      ({ kind, field }) =>
        `spec.monitoring.${field} is always, but there is no kind ${kind} (monitoring.coreos.com/v1) here, or the operator may not list it. ` +
        `Install prometheus-operator or just its CustomResourceDefinitions (helm install prometheus-operator-crds prometheus-community/prometheus-operator-crds), ` +
        `or set the field to auto or never`,
    );
}
