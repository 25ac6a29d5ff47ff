// The status of a ChatCluster from what is seen. Pure: no clock but an argument, no I/O. Every message names cause and next step.
import type { ChatClusterStatus, Condition, ConditionType } from '@parley/operator-api';
import { fqdnOf, hasCanary, ports, selectorOf, type Plan, type PlannedComponent } from '@parley/cdk8s';
import type { KubeObject } from '../kube/transport.ts';
import { planMessage, type PendingPlan } from '../plan/changes.ts';
import type { ChatPod } from '../rollout/rollout.ts';
import type { DeliveryReport } from '../watch/delivery.ts';
import type { CrdVerdict } from '../kinds/crd-check.ts';
import type { StrimziObstacle } from '../kinds/strimzi.ts';
import { deliveryStatus, deliveryVerdict } from './delivery.ts';
import { redisProblems } from '../watch/redis-quorum.ts';
import { managedBy, storageTold, storageVerdict, type StorageView } from '../storage/status.ts';
import { isRotating, type KeyRotation } from '../secrets/signing-keys.ts';

/** A component and its workload, as seen. */
export interface Seen {
  planned: PlannedComponent;
  object: KubeObject | undefined;
}

export interface StatusInput {
  generation: number;
  previous: ChatClusterStatus | undefined;
  plan: Plan;
  seen: readonly Seen[];
  pods: readonly ChatPod[];
  /** what the rollout of chat does or waits for */
  rollout: string | undefined;
  /** what the canary says; undefined: there is none, or it does not answer */
  delivery: DeliveryReport | undefined;
  /** undefined: nothing is known of the CRDs, and nothing is told */
  crds: CrdVerdict | undefined;
  /** volumes, and what is wrong with them */
  storage: StorageView;
  /** a sentence for each Secret that the spec names and nobody made */
  missing: readonly string[];
  /** why there is no Kafka of Strimzi yet; undefined: it is ready, or not asked for */
  strimzi?: StrimziObstacle | undefined;
  /** a sentence for each database whose last backup failed */
  failedBackups: readonly string[];
  /** a sentence, when the autoscaler of chat does not work */
  idleAutoscaler: string | undefined;
  /** a sentence for each kind that the spec insists on and that is not there */
  missingKinds: readonly string[];
  /** what waits for approval */
  pending: PendingPlan | undefined;
  /** the last change of the signing key */
  keyRotation?: KeyRotation | undefined;
  /** how the drain of a replica is, by its name, of those that somebody wants empty */
  drains?: ReadonlyMap<string, string>;
  paused: boolean;
  now: Date;
}

interface Numbers {
  replicas?: number;
  readyReplicas?: number;
  updatedReplicas?: number;
  observedGeneration?: number;
  currentReplicas?: number;
  succeeded?: number;
  failed?: number;
  active?: number;
}

interface Verdict {
  status: Condition['status'];
  reason: string;
  message: string;
}

const statusOf = (object: KubeObject | undefined): Numbers => object?.['status'] ?? {};
const wantedReplicas = (object: KubeObject): number => (object['spec'] as { replicas?: number }).replicas ?? 1;

/** Ready and up to date: all replicas are, and the controller has seen the newest spec. */
export function componentReady({ planned, object }: Seen): boolean {
  if (!object) return false;
  if (planned.kind === 'Job') return (statusOf(object).succeeded ?? 0) > 0;
  const { readyReplicas = 0, updatedReplicas = 0, observedGeneration = 0, replicas = 0 } = statusOf(object);
  const wanted = wantedReplicas(object);
  if (isAway({ planned, object })) return false;
  return (
    observedGeneration >= (object.metadata.generation ?? 0) && readyReplicas === wanted && updatedReplicas >= wanted && replicas === wanted
  );
}

/** No spec asks for a server without a pod: a drill does. */
const isAway = ({ planned, object }: Seen): boolean => planned.dependency && object !== undefined && wantedReplicas(object) === 0;

/** Serves, if not with all replicas. */
function componentServes({ object }: Seen): boolean {
  if (!object) return false;
  return wantedReplicas(object) === 0 || (statusOf(object).readyReplicas ?? 0) > 0;
}

function describe({ planned, object }: Seen): string {
  if (!object) return `${planned.component} does not exist yet`;
  if (planned.kind === 'Job') return `${planned.component} has not finished`;
  if (isAway({ planned, object })) return `${planned.component} is taken away by a drill for a while (kubectl get chatdrills)`;
  return `${planned.component} has ${statusOf(object).readyReplicas ?? 0} of ${wantedReplicas(object)} replicas ready`;
}

/** The same problem of several pods is told once. */
function problems(component: string, pods: readonly ChatPod[]): string[] {
  const found = new Map<string, string>();
  for (const { name, component: of, problem } of pods) {
    if (of !== component || !problem) continue;
    const { reason, message, next } = problem;
    if (!found.has(reason)) found.set(reason, `${name}: ${reason}${message === '' ? '' : `: ${message}`}; ${next}`);
  }
  return [...found.values()];
}

function inspect(seen: readonly Seen[], { plan, pods }: Pick<StatusInput, 'plan' | 'pods'>): string {
  const lacks = ({ planned, object }: Seen): string[] => (planned.component === 'redis' && object ? redisProblems(plan, pods) : []);
  const told = seen.map((each) => [describe(each), ...lacks(each), ...problems(each.planned.component, pods)].join(': ')).join('. ');
  const known = seen.some(({ planned }) => problems(planned.component, pods).length > 0);
  const look = `Look at: kubectl -n ${plan.namespace} get pods -l app.kubernetes.io/instance=${plan.cluster}, then kubectl describe on one that is not ready`;
  return shortened(known ? told : `${told}. ${look}`);
}

/** The schema bounds messages; what comes first says most. */
const MESSAGE_MAX = 3500;
const shortened = (text: string): string => (text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)} …` : text);

function verdicts(input: StatusInput): Partial<Record<ConditionType, Verdict>> {
  const { plan, seen, pods, rollout, missing, strimzi, failedBackups, pending, paused, storage } = input;
  const yes = (reason: string, message: string): Verdict => ({ status: 'True', reason, message });
  const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });
  const dependencies = seen.filter(({ planned }) => planned.dependency);
  const waitingFor = dependencies.filter((each) => !componentReady(each));
  const migration = seen.find(({ planned }) => planned.kind === 'Job');
  const migrated = migration !== undefined && componentReady(migration);
  const services = seen.filter(({ planned }) => !planned.dependency && planned.kind !== 'Job');
  const notReady = services.filter((each) => !componentReady(each));
  const down = services.filter((each) => !componentServes(each));
  // Servers may answer on: nothing new is stored all the same.
  const full = storage.problems.filter(({ reason }) => reason === 'VolumeFull');
  const parts = waitingFor.length === 0 && !strimzi && migrated && notReady.length === 0;
  const ready = parts && rollout === undefined && missing.length === 0 && full.length === 0 && !pending;
  const behind = [...waitingFor, ...(migrated ? notReady : [])];
  const why = (): string => {
    if (pending) return planMessage(pending, plan);
    if (missing.length > 0) return missing.join('. ');
    if (full.length > 0) return storageTold(full);
    // The claim is the cause of what its pod lacks.
    if (waitingFor.length > 0) return [...storage.problems.map(({ message }) => message), inspect(waitingFor, input)].join('. ');
    if (strimzi) return shortened(strimzi.message);
    if (!migrated) return [migrationMessage(migration, plan), ...problems('migrate', pods)].join('. ');
    if (rollout !== undefined) return rollout;
    return inspect(notReady, input);
  };
  const pause = paused ? ' The cluster is paused: nothing is changed until spec.paused is false.' : '';
  return {
    Ready: ready
      ? yes('AllReady', `All parts are ready.${pause}`)
      : no(reasonOf({ pending, missing, full, waitingFor, strimzi, migrated, rollout }), `${why()}.${pause}`),
    // Also while a new version migrates: the services of the old one go on.
    Available:
      down.length === 0
        ? yes('Serving', 'Every service has a ready replica.')
        : no('NotServing', migrated ? `${inspect(down, input)}.` : `${why()}.`),
    Progressing: ready
      ? input.keyRotation && isRotating(input.keyRotation)
        ? yes('RotatingKey', `${input.keyRotation.message}.${pause}`)
        : no('Settled', 'Nothing is being changed.')
      : paused
        ? no('Paused', `${why()}.${pause}`)
        : pending
          ? no('PlanPending', `${why()}.`)
          : yes(rollout === undefined ? 'Converging' : 'RollingOut', `${why()}.`),
    Degraded:
      missing.length > 0
        ? yes('SecretMissing', `${missing.join('. ')}.`)
        : storage.problems[0]
          ? yes(storage.problems[0].reason, `${storageTold(storage.problems)}.`)
          : behind.length > 0 && migrated
            ? yes('PartsNotReady', `${inspect(behind, input)}.`)
            : strimzi && migrated
              ? yes(strimzi.reason, `${shortened(strimzi.message)}.`)
              : failedBackups.length > 0
                ? yes('BackupFailed', shortened(`${failedBackups.join('. ')}.`))
                : input.idleAutoscaler !== undefined
                  ? yes('AutoscalerIdle', shortened(`${input.idleAutoscaler}.`))
                  : input.missingKinds.length > 0
                    ? yes('MonitoringKindMissing', `${input.missingKinds.join('. ')}.`)
                    : no('AsPlanned', 'No part is worse than planned.'),
    Rendered: yes('Rendered', 'The manifests were made from the spec.'),
    DependenciesReady:
      waitingFor.length > 0
        ? no('NotReady', `${inspect(waitingFor, input)}.`)
        : strimzi
          ? no(strimzi.reason, `${shortened(strimzi.message)}.`)
          : yes('AllReady', 'Databases, Redis and Kafka are ready, or external.'),
    MigrationsReady: migrated
      ? yes('Applied', `The databases have the schema of version ${plan.spec.version}.`)
      : no('Pending', `${migrationMessage(migration, plan)}.`),
    DeliveryHealthy: deliveryVerdict(hasCanary(plan), input.delivery),
    StorageReady: storageVerdict(storage),
    ...(input.crds ? { CRDOutdated: input.crds } : {}),
  };
}

interface Obstacles {
  pending: PendingPlan | undefined;
  missing: readonly string[];
  full: readonly unknown[];
  waitingFor: readonly Seen[];
  strimzi: StrimziObstacle | undefined;
  migrated: boolean;
  rollout: string | undefined;
}

function reasonOf({ pending, missing, full, waitingFor, strimzi, migrated, rollout }: Obstacles): string {
  if (pending) return 'PlanPending';
  if (missing.length > 0) return 'SecretMissing';
  if (full.length > 0) return 'VolumeFull';
  if (waitingFor.length > 0 || strimzi) return 'DependenciesNotReady';
  if (!migrated) return 'Migrating';
  return rollout === undefined ? 'ServicesNotReady' : 'RollingOut';
}

function migrationMessage(migration: Seen | undefined, plan: Plan): string {
  const failed = statusOf(migration?.object).failed ?? 0;
  const logs = `kubectl -n ${plan.namespace} logs job/${plan.migrationJob} --all-containers`;
  return failed > 0
    ? `The migration failed ${failed} times. Read: ${logs}`
    : `The migration to version ${plan.spec.version} has not finished. Watch: ${logs}`;
}

/** Keeps the transition time of a condition whose status did not change. */
export function withTransitions(
  next: Omit<Condition, 'lastTransitionTime'>[],
  previous: readonly Condition[] | undefined,
  now: Date,
): Condition[] {
  return next.map((condition) => {
    const before = previous?.find(({ type }) => type === condition.type);
    const same = before?.status === condition.status;
    return { ...condition, lastTransitionTime: same ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z/, 'Z') };
  });
}

export function statusFor(input: StatusInput): ChatClusterStatus {
  const { generation, previous, plan, seen, now } = input;
  const chat = seen.find(({ planned }) => planned.component === 'chat')?.object;
  const haproxy = fqdnOf(plan, 'haproxy');
  const secure = plan.spec.ingress.tls ? 's' : '';
  const delivery = hasCanary(plan) ? deliveryStatus(input.delivery, previous?.delivery, now) : undefined;
  const conditions = Object.entries(verdicts(input)).map(([type, verdict]) => ({ type, observedGeneration: generation, ...verdict }));
  const selector = Object.entries(selectorOf(plan.cluster, 'chat'))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  return {
    observedGeneration: generation,
    version: runningVersion(chat) ?? plan.spec.version,
    replicas: statusOf(chat).replicas ?? 0,
    readyReplicas: statusOf(chat).readyReplicas ?? 0,
    selector,
    connections: connectionsOf(input.pods, input.drains),
    ...(delivery ? { delivery } : {}),
    ...(input.pending ? { plan: input.pending } : {}),
    managedBy: managedBy(plan),
    storage: input.storage.volumes,
    ...(input.keyRotation ? { keyRotation: input.keyRotation } : {}),
    endpoints: {
      chat: `ws${secure}://${haproxy}:${ports.chatEntry}/api/ws`,
      gateway: `http${secure}://${haproxy}:${ports.gateway}`,
      stats: `http://${haproxy}:${ports.stats}`,
    },
    conditions: withTransitions(conditions, previous?.conditions, now),
  };
}

function connectionsOf(
  pods: readonly ChatPod[],
  drains: ReadonlyMap<string, string> = new Map(),
): NonNullable<ChatClusterStatus['connections']> {
  const perReplica = pods.flatMap(({ name, sockets, terminating }) => {
    const drain = drains.get(name);
    const asked = drain === undefined ? {} : { drain };
    return sockets ? [{ name, connections: sockets.connections, draining: sockets.draining || terminating, ...asked }] : [];
  });
  return { total: perReplica.reduce((sum, { connections }) => sum + connections, 0), perReplica };
}

/** A spec that cannot be read or rendered: everything seen before stays, the cause is said. */
export function failedStatus(
  input: Pick<StatusInput, 'generation' | 'previous' | 'now'>,
  reason: 'InvalidSpec' | 'RenderFailed' | 'ApplyFailed',
  message: string,
): ChatClusterStatus {
  const { generation, previous, now } = input;
  const types: ConditionType[] = reason === 'ApplyFailed' ? ['Ready', 'Degraded'] : ['Ready', 'Rendered'];
  const failed = types.map((type) => ({
    type,
    status: type === 'Degraded' ? ('True' as const) : ('False' as const),
    reason,
    message,
    observedGeneration: generation,
  }));
  const kept = (previous?.conditions ?? []).filter(({ type }) => !types.includes(type as ConditionType));
  return { ...previous, observedGeneration: generation, conditions: [...withTransitions(failed, previous?.conditions, now), ...kept] };
}

function runningVersion(chat: KubeObject | undefined): string | undefined {
  const spec = chat?.['spec'] as { template?: { spec?: { containers?: { image?: string }[] } } } | undefined;
  return spec?.template?.spec?.containers?.[0]?.image?.split(':').at(-1);
}
