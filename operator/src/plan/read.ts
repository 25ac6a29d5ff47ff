// The first step of a reconcile: a ChatCluster with its defaults, the plan that it asks for, the objects that make it true, and the ways to
// what is seen of it. What is seen is asked for when it is needed: it changes while a reconcile writes.
import { parseChatCluster, type ChatCluster, type ChatClusterStatus, type ParsedChatCluster } from '@parley/operator-api';
import { resolve, type Facts, type MonitoringKind, type Plan, type PlanEnvironment } from '@parley/cdk8s';
import type { StrimziSeen } from '../kinds/strimzi.ts';
import type { KubeObject } from '../kube/transport.ts';
import type { Connections } from '../rollout/connections.ts';
import type { ChatPod } from '../rollout/rollout.ts';
import { podFacts } from '../watch/pods.ts';
import { partsOf } from '../watch/workloads.ts';
import { manifestsOf, type Manifests } from './manifests.ts';

export interface ReadContext {
  environment: PlanEnvironment;
  /** the ChatCluster as last seen, by `namespace/name` */
  cluster: (key: string) => KubeObject | undefined;
  /** every object that carries the labels of this cluster */
  owned: (namespace: string, cluster: string) => KubeObject[];
  /** its pods */
  pods: (namespace: string, cluster: string) => KubeObject[];
  connections: Pick<Connections, 'of'>;
  /** kinds of prometheus-operator that there are */
  served: () => readonly MonitoringKind[];
  /** Kafka of mode strimzi; asked of such clusters alone */
  strimzi?: (namespace: string, cluster: string) => StrimziSeen;
}

/** What need not be found out at each reconcile: to check a spec is a third of one that finds nothing to do, to render takes longest. */
export interface ReadMemory {
  /** the spec with its defaults, and the text of the one that it is of */
  spec?: { of: string; checked: ChatCluster['spec'] };
  /** what is applied */
  applied?: Manifests;
}

export interface ClusterSeen {
  /** `namespace/name` */
  key: string;
  /** as it is stored */
  live: KubeObject;
  /** with its defaults */
  cluster: ChatCluster;
  plan: Plan;
  /** what the manifests depend on besides the plan */
  facts: Facts;
  /** to be applied now */
  wanted: readonly KubeObject[];
  owned: () => KubeObject[];
  pods: readonly ChatPod[];
  served: readonly MonitoringKind[];
  /** undefined: Kafka is of another mode */
  strimzi: StrimziSeen | undefined;
}

/** A spec that leads nowhere, and why. */
export interface Unusable {
  reason: 'InvalidSpec' | 'RenderFailed';
  message: string;
}

/** `away` is the server that a drill has taken away. */
export function readCluster(
  live: KubeObject,
  { memory, away }: { memory: ReadMemory; away: Facts['away'] },
  context: ReadContext,
): { seen: ClusterSeen } | { unusable: Unusable } {
  const parsed = parsedWith(memory, live);
  if (!parsed.ok) return unusable('InvalidSpec', `The spec is not valid: ${parsed.problems.join('; ')}. Correct it and apply it again.`);
  const { cluster } = parsed;
  const plan = resolve(cluster, context.environment);
  const strimzi = plan.spec.kafka.mode === 'strimzi' ? context.strimzi?.(plan.namespace, plan.cluster) : undefined;
  const served = context.served();
  const owned = () => context.owned(plan.namespace, plan.cluster);
  const migrated = hasMigrated(plan, owned()) || hasRun(cluster.status, plan);
  const facts: Facts = { migrated, away, served, strimzi: strimzi?.state === 'served' };
  try {
    memory.applied = manifestsOf(plan, { facts, cluster, known: [memory.applied] });
  } catch (error) {
    return unusable('RenderFailed', `The manifests cannot be made: ${(error as Error).message}`);
  }
  const { objects: wanted } = memory.applied;
  const key = `${plan.namespace}/${plan.cluster}`;
  return { seen: { ...{ key, live, cluster, plan, facts, wanted, owned, served, strimzi }, pods: podsOf(plan, context) } };
}

const unusable = (reason: Unusable['reason'], message: string) => ({ unusable: { reason, message } });

function parsedWith(memory: ReadMemory, live: KubeObject): ParsedChatCluster {
  const of = JSON.stringify(live['spec']);
  if (memory.spec?.of === of) return { ok: true, cluster: { ...(live as unknown as ChatCluster), spec: memory.spec.checked } };
  const parsed = parseChatCluster(live);
  if (parsed.ok) memory.spec = { of, checked: parsed.cluster.spec };
  return parsed;
}

function podsOf(plan: Plan, { pods, connections }: ReadContext): ChatPod[] {
  return pods(plan.namespace, plan.cluster)
    .map(podFacts)
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((pod) => ({ ...pod, sockets: pod.component === 'chat' ? connections.of(pod.uid) : undefined }));
}

function hasMigrated(plan: Plan, owned: readonly KubeObject[]): boolean {
  const job = partsOf(plan, owned).find(({ planned }) => planned.kind === 'Job')?.object;
  return ((job?.['status'] as { succeeded?: number } | undefined)?.succeeded ?? 0) > 0;
}

/** The Job may have been cleaned away after it succeeded; the condition remembers it for the version that runs. */
function hasRun(status: ChatClusterStatus | undefined, plan: Plan): boolean {
  return (
    status?.version === plan.spec.version &&
    status.conditions?.some(({ type, status: value }) => type === 'MigrationsReady' && value === 'True') === true
  );
}
