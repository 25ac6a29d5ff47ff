// The status of a ChatCluster from what is seen. Pure: no clock but an argument, no I/O. Every message names cause and next step.
import type { ChatClusterStatus, Condition, ConditionType } from '@parley/operator-api';
import { fqdnOf, hasCanary, ports, selectorOf } from '@parley/cdk8s';
import type { KubeObject } from '../kube/transport.ts';
import type { ChatPod } from '../rollout/rollout.ts';
import { isRotating } from '../secrets/signing-keys.ts';
import { managedBy, storageVerdict } from '../storage/status.ts';
import { workloadStatus } from '../watch/workloads.ts';
import { deliveryStatus, deliveryVerdict } from './delivery.ts';
import type { StatusInput } from './input.ts';
import { firstOf, obstaclesOf } from './obstacles.ts';
import { inspect, migrationMessage, shortened, sortParts } from './parts.ts';

interface Verdict {
  status: Condition['status'];
  reason: string;
  message: string;
}

function verdicts(input: StatusInput): Partial<Record<ConditionType, Verdict>> {
  const { plan, strimzi, rollout, pending, paused, storage } = input;
  const yes = (reason: string, message: string): Verdict => ({ status: 'True', reason, message });
  const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });
  const parts = sortParts(input.parts);
  const { waitingFor, down, migration, migrated } = parts;
  const obstacles = obstaclesOf(input, parts);
  const obstacle = firstOf(obstacles, 'Ready');
  const worse = firstOf(obstacles, 'Degraded');
  const why = obstacle && `${obstacle.message()}.`;
  const pause = paused ? ' The cluster is paused: nothing is changed until spec.paused is false.' : '';
  return {
    Ready: obstacle ? no(obstacle.reason, `${why}${pause}`) : yes('AllReady', `All parts are ready.${pause}`),
    // Also while a new version migrates: the services of the old one go on.
    Available:
      down.length === 0
        ? yes('Serving', 'Every service has a ready replica.')
        : no('NotServing', migrated || !why ? `${inspect(down, input)}.` : why),
    Progressing: why
      ? paused
        ? no('Paused', `${why}${pause}`)
        : pending
          ? no('PlanPending', why)
          : yes(rollout === undefined ? 'Converging' : 'RollingOut', why)
      : input.keyRotation && isRotating(input.keyRotation)
        ? yes('RotatingKey', `${input.keyRotation.message}.${pause}`)
        : no('Settled', 'Nothing is being changed.'),
    Degraded: worse ? yes(worse.reason, `${worse.message()}.`) : no('AsPlanned', 'No part is worse than planned.'),
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
  const { generation, previous, plan, parts, now } = input;
  const chat = parts.find(({ planned }) => planned.component === 'chat')?.object;
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
    replicas: workloadStatus(chat).replicas ?? 0,
    readyReplicas: workloadStatus(chat).readyReplicas ?? 0,
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
  reason: 'InvalidSpec' | 'RenderFailed',
  message: string,
): ChatClusterStatus {
  const { generation, previous, now } = input;
  const types: ConditionType[] = ['Ready', 'Rendered'];
  const failed = types.map((type) => ({
    type,
    status: 'False' as const,
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
