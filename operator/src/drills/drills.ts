// The drills of a ChatCluster, as the first and the last step of a reconcile: what they took away comes back, and they go on.
import {
  ALLOW_DRILLS_LABEL,
  isFinished,
  parseChatDrill,
  type ChatClusterStatus,
  type ChatDrill,
  type ChatDrillStatus,
} from '@parley/operator-api';
import { hasCanary, type Plan } from '@parley/cdk8s';
import { awayComponent, awayOf, bringBack, isHeld, takeAway, type Away, type AwayComponent } from './fault.ts';
import { FAULTS, type DrillScene, type Injection } from './scene.ts';
import { drillStep } from './step.ts';
import { chatDrills, ownedResource, pathOf, pods as podResource } from '../kube/resources.ts';
import { keyOf } from '../kube/store.ts';
import type { Recorder } from '../kube/recorder.ts';
import { MERGE_PATCH, isConflict, isNotFound, type KubeObject, type KubeTransport } from '../kube/transport.ts';
import type { Paces } from '../paces.ts';
import type { ChatPod } from '../rollout/rollout.ts';
import { replacing, sameJson } from '../status/patch.ts';
import type { Delivery } from '../watch/delivery.ts';

/** Until the watch shows what was just written. */
export const ECHO_MS = 200;

export interface DrillsContext {
  transport: KubeTransport;
  recorder: Pick<Recorder, 'record'>;
  now: () => Date;
  /** the ChatCluster as last seen, by `namespace/name` */
  cluster: (key: string) => KubeObject | undefined;
  /** every object that carries the labels of a cluster */
  owned: (namespace: string, cluster: string) => KubeObject[];
  /** the pods of a cluster */
  pods: (namespace: string, cluster: string) => KubeObject[];
  /** the ChatDrills of a cluster */
  drills: (namespace: string, cluster: string) => KubeObject[];
  delivery: Pick<Delivery, 'of'>;
  /** told of each drill that ends, and how */
  onDrillEnd?: (fault: string, result: string) => void;
  paces: Pick<Paces, 'drill' | 'drillWatch'>;
}

/** What a reconcile saw of the cluster, for the drills in it. */
export interface ClusterView {
  plan: Plan;
  /** as it is written now */
  status: ChatClusterStatus;
  pods: readonly ChatPod[];
}

export interface DrillsSeen {
  /** those that have not ended, the oldest first */
  open: ChatDrill[];
  running: ChatDrill | undefined;
  /** the server that a drill has taken away and still holds */
  away: Taken | undefined;
  /** something was given back a moment ago */
  broughtBack: boolean;
}

export async function bringBackWhatDrillsTook(key: string, context: DrillsContext): Promise<DrillsSeen> {
  const [namespace = '', name = ''] = key.split('/');
  const open = openDrills(context.drills(namespace, name));
  const nowMs = context.now().getTime();
  const running = open.find(({ status }) => status?.startedAt !== undefined);
  const taken = takenAway(context.owned(namespace, name));
  const over = taken.filter(({ away }) => !isHeld(away, running, nowMs));
  for (const { object, away } of over) await patchSet(object, bringBack(away), context);
  return { open, running, away: taken[0], broughtBack: over.length > 0 };
}

/** `view` undefined: there is no cluster, or its spec leads nowhere. */
export async function advanceDrills(
  { open, running, away }: DrillsSeen,
  view: ClusterView | undefined,
  context: DrillsContext,
): Promise<{ againAfterMs?: number }> {
  // Of several the oldest; the others are told in the next look that it runs, or take their turn.
  for (const drill of running ? open : open.slice(0, 1)) {
    const other = drill === running ? undefined : running?.metadata.name;
    await advance(drill, { view, running: other, away: away?.away }, context);
  }
  return open.length === 0 ? {} : { againAfterMs: context.paces.drill };
}

/** Those that have not ended, the oldest first. */
function openDrills(objects: readonly KubeObject[]): ChatDrill[] {
  const ageOf = ({ metadata }: ChatDrill): string => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return objects
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .flatMap((object) => parseChatDrill(object) ?? [])
    .filter((drill) => !isFinished(drill))
    .sort((one, other) => (ageOf(one) < ageOf(other) ? -1 : 1));
}

interface Taken {
  object: KubeObject;
  component: AwayComponent;
  away: Away;
}

function takenAway(owned: readonly KubeObject[]): Taken[] {
  return owned.flatMap((object) => {
    const [component, away] = [awayComponent(object), awayOf(object)];
    return component && away ? [{ object, component, away }] : [];
  });
}

interface Surroundings {
  view: ClusterView | undefined;
  running: string | undefined;
  away: Away | undefined;
}

async function advance(drill: ChatDrill, { view, running, away }: Surroundings, context: DrillsContext): Promise<void> {
  const step = drillStep({
    drill,
    scene: view && sceneOf(drill, view, context),
    running,
    away: away?.drill === drill.metadata.uid ? away : undefined,
    nowMs: context.now().getTime(),
    watchMs: context.paces.drillWatch,
  });
  if (step.inject && view) await inject(step.inject, { drill, plan: view.plan }, context);
  if (sameJson(drill.status, step.status)) return;
  if (!(await patchStatus(drill, step.status, context))) return;
  const { type = '', reason = '', message = '' } = step.status.conditions?.find(({ status }) => status === 'True') ?? {};
  if (isFinished(step)) context.onDrillEnd?.(drill.spec.fault, reason);
  const live = context.cluster(keyOf({ namespace: drill.metadata.namespace, name: drill.spec.cluster }));
  if (!live || reason === 'Waiting') return;
  const note = `${drill.metadata.name}: ${message}`;
  context.recorder.record(live, { type: type === 'Failed' ? 'Warning' : 'Normal', reason: `Drill${reason}`, action: 'Drill', note });
}

function sceneOf(drill: ChatDrill, { plan, status, pods }: ClusterView, context: DrillsContext): DrillScene {
  const { component } = FAULTS[drill.spec.fault];
  const key = keyOf({ namespace: plan.namespace, name: plan.cluster });
  const live = context.cluster(key);
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const seen = context.delivery.of(key);
  return {
    allowed: live?.metadata.labels?.[ALLOW_DRILLS_LABEL] === 'true',
    paused: plan.spec.paused,
    ready: { status: ready?.status === 'True', message: ready?.message ?? 'nothing is known of it yet.' },
    hasCanary: hasCanary(plan),
    external: component !== 'chat' && component !== 'haproxy' && plan.spec[component].mode !== 'builtin',
    replicas: replicasOf(plan, component),
    pods: pods.filter((pod) => pod.component === component),
    redis: pods.find(({ sockets }) => sockets?.redis !== undefined)?.sockets?.redis,
    canary: canaryOf(context.pods(plan.namespace, plan.cluster)),
    delivery: seen?.report && { report: seen.report, askedAtMs: seen.askedAtMs },
  };
}

function replicasOf({ spec }: Plan, component: (typeof FAULTS)[keyof typeof FAULTS]['component']): number {
  if (component === 'chat') return spec.chat.replicas;
  if (component === 'haproxy') return spec.ingress.replicas;
  if (component === 'redis') return spec.redis.replicas;
  return component === 'kafka' ? spec.kafka.brokers : 1;
}

/** A canary that starts anew counts from nothing. */
function canaryOf(pods: readonly KubeObject[]): string | undefined {
  const found = pods.filter(
    ({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'canary' && metadata.deletionTimestamp === undefined,
  );
  const restarts = ({ status }: KubeObject): number =>
    (status as { containerStatuses?: { restartCount?: number }[] } | undefined)?.containerStatuses?.[0]?.restartCount ?? 0;
  return found.length === 0
    ? undefined
    : found
        .map((pod) => `${pod.metadata.uid}/${restarts(pod)}`)
        .sort()
        .join(' ');
}

async function inject(injection: Injection, { drill, plan }: { drill: ChatDrill; plan: Plan }, context: DrillsContext): Promise<void> {
  if (injection.do === 'takeAway') {
    const { component } = FAULTS[drill.spec.fault];
    const object = context.owned(plan.namespace, plan.cluster).find((each) => awayComponent(each) === component);
    if (!object) throw new Error(`there is no StatefulSet of ${component} to take away`);
    return patchSet(object, takeAway({ ...injection.away, replicas: replicasOf(plan, component) }), context);
  }
  const { name, uid, graceSeconds } = injection;
  await context.transport
    .request('DELETE', pathOf(podResource, plan.namespace, name), {
      body: { preconditions: { uid }, ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }) },
    })
    .catch((error: unknown) => {
      // Gone already, or another pod of that name.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
}

async function patchSet({ kind, metadata }: KubeObject, body: object, { transport }: DrillsContext): Promise<void> {
  await transport
    .request('PATCH', pathOf(ownedResource(kind), metadata.namespace, metadata.name), { contentType: MERGE_PATCH, body })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}

/** By the version that was looked at: a status that is older than the watch shows would begin the drill anew. Returns false then. */
async function patchStatus({ metadata, status }: ChatDrill, next: ChatDrillStatus, { transport }: DrillsContext): Promise<boolean> {
  const { namespace, name, resourceVersion } = metadata;
  try {
    await transport.request('PATCH', pathOf(chatDrills, namespace, name, 'status'), {
      contentType: MERGE_PATCH,
      body: { metadata: { resourceVersion }, status: replacing(status, next) },
    });
    return true;
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return false;
    throw error;
  }
}
