// Kafka of mode strimzi: whether the API server serves Strimzi's kinds, what is known of their objects, and what the status says of it.
// Nothing is watched before a ChatCluster asks for it, so an operator elsewhere needs no rights and notices nothing.
import type { Log } from '@parley/kit/process';
import { STRIMZI_API, STRIMZI_SINCE } from '@parley/operator-api';
import { MANAGED_BY, nameOf, type Plan } from '@parley/cdk8s';
import type { Clock } from '../kube/clock.ts';
import { Reflector } from '../kube/reflector.ts';
import { pathOf, strimziResources } from '../kube/resources.ts';
import { keyOf } from '../kube/store.ts';
import { ApiError, type KubeObject, type KubeTransport } from '../kube/transport.ts';

export type StrimziState = 'unknown' | 'missing' | 'forbidden' | 'served';

export interface StrimziSeen {
  state: StrimziState;
  /** the Kafka of this cluster, as Strimzi keeps its status */
  kafka: KubeObject | undefined;
}

interface Options {
  transport: KubeTransport;
  /** undefined: all namespaces */
  namespace: string | undefined;
  clock: Clock;
  onChange: (object: KubeObject) => void;
  /** the state became another one */
  onState: () => void;
  onRestart: (kind: string, reason: string) => void;
  log: Log;
}

export class Strimzi {
  readonly #reflectors: Map<string, Reflector>;
  readonly #states = new Map<string, StrimziState>();
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    const { transport, namespace, clock, onChange } = options;
    this.#reflectors = new Map(
      strimziResources.map((resource) => [
        resource.kind,
        new Reflector({
          transport,
          clock,
          path: pathOf(resource, namespace),
          labelSelector: `app.kubernetes.io/managed-by=${MANAGED_BY}`,
          onChange,
          onListed: () => this.#become(resource.kind, 'served'),
          onRestart: (reason, error) => this.#failed(resource.kind, reason, error),
        }),
      ]),
    );
  }

  /** The first call begins to look. */
  seen(namespace: string, cluster: string): StrimziSeen {
    this.#start();
    return { state: this.#state, kafka: this.#reflectors.get('Kafka')?.store.get(keyOf({ namespace, name: nameOf(cluster, 'kafka') })) };
  }

  live({ kind, metadata }: KubeObject): KubeObject | undefined {
    return this.#reflectors.get(kind)?.store.get(keyOf(metadata));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
  }

  #start(): void {
    if (this.#states.size > 0) return;
    for (const [kind, reflector] of this.#reflectors) {
      this.#states.set(kind, 'unknown');
      reflector.start();
    }
  }

  /** The worst of both kinds. */
  get #state(): StrimziState {
    const states = new Set(this.#states.values());
    return (['missing', 'forbidden', 'unknown'] as const).find((state) => states.has(state)) ?? 'served';
  }

  #failed(kind: string, reason: string, error: unknown): void {
    const state = error instanceof ApiError ? ({ 404: 'missing', 403: 'forbidden' } as const)[error.status] : undefined;
    if (state === undefined) return this.#options.onRestart(kind, reason);
    this.#become(kind, state);
  }

  #become(kind: string, state: StrimziState): void {
    if (this.#states.get(kind) === state) return;
    this.#states.set(kind, state);
    this.#options.log.info({ kind, state }, 'Strimzi');
    this.#options.onState();
  }
}

export interface StrimziObstacle {
  reason: string;
  message: string;
}

interface KafkaStatus {
  observedGeneration?: number;
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
}

/** Why there is no Kafka yet, with the next step; undefined: it is ready. Pure. */
export function strimziObstacle({ state, kafka }: StrimziSeen, { cluster, namespace }: Plan): StrimziObstacle | undefined {
  const name = nameOf(cluster, 'kafka');
  const no = (reason: string, message: string): StrimziObstacle => ({ reason, message });
  const look = `Look at: kubectl -n ${namespace} describe kafka ${name}`;
  if (state === 'unknown') return no('LookingForStrimzi', 'spec.kafka.mode is strimzi, and the API server was not asked for it yet');
  if (state === 'missing')
    return no(
      'StrimziMissing',
      `spec.kafka.mode is strimzi, but the API server does not serve ${STRIMZI_API}: install Strimzi ${STRIMZI_SINCE} or newer, for instance helm install strimzi oci://quay.io/strimzi-helm/strimzi-kafka-operator --namespace strimzi --create-namespace --set watchAnyNamespace=true; it is noticed within a minute. Events wait meanwhile`,
    );
  if (state === 'forbidden')
    return no(
      'StrimziForbidden',
      'spec.kafka.mode is strimzi, but the operator may not keep kafkas and kafkanodepools of kafka.strimzi.io: apply charts/strimzi-rights.yaml (of one namespace: charts/strimzi-rights-namespaced.yaml; with Helm: --set strimzi=true). Events wait meanwhile',
    );
  if (!kafka) return no('KafkaNotReady', `The Kafka ${name} does not exist yet`);
  const { observedGeneration = 0, conditions = [] } = (kafka['status'] ?? {}) as KafkaStatus;
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (!ready && observedGeneration === 0)
    return no(
      'KafkaNotReady',
      `Strimzi has not looked at the Kafka ${name} yet: does its operator run, and does it watch the namespace ${namespace}? Look at: kubectl get pods -A -l name=strimzi-cluster-operator`,
    );
  if (observedGeneration < (kafka.metadata.generation ?? 0)) return no('KafkaNotReady', `Strimzi is changing the Kafka ${name}. ${look}`);
  if (ready?.status === 'True') return undefined;
  const told = conditions.filter(({ type, status }) => type !== 'Ready' || status !== 'True');
  const why = told.map(({ type, reason, message }) => [reason ?? type, message].filter(Boolean).join(': ')).join('; ');
  return no('KafkaNotReady', `The Kafka ${name} is not ready, says Strimzi: ${why || 'no reason'}. ${look}`);
}
