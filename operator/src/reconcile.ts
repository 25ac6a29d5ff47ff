// One reconcile: read facts, decide what is wanted, apply it, remove the rest, tell the status. Level-based: it looks at what is, not
// at what happened. It ends in three ways: by a throw (back-off), by a condition that only a new spec can change, or by a wish to run again.
import { randomBytes } from 'node:crypto';
import { parseChatCluster, type ChatCluster, type ChatClusterStatus, type ParsedChatCluster } from '@parley/operator-api';
import { componentsOf, resolve, type Facts, type MonitoringKind, type Plan, type PlanEnvironment } from '@parley/cdk8s';
import type { Applier } from './kube/applier.ts';
import type { Recorder } from './kube/recorder.ts';
import { chatClusters, isKeptVolume, pathOf, pods as podResource } from './kube/resources.ts';
import { isConflict, isNotFound, isRefusal, type KubeObject, type KubeTransport } from './kube/transport.ts';
import { idleAutoscaler } from './watch/autoscaler-runs.ts';
import { failedBackups } from './watch/backup-runs.ts';
import { claimOf } from './storage/claims.ts';
import { ensureSecrets } from './secrets/ensure.ts';
import { rotateSigningKey, type KeyRotationContext } from './secrets/key-rotation.ts';
import { isRotating, ROTATE_ANNOTATION, type KeyRotation } from './secrets/signing-keys.ts';
import type { Connections } from './rollout/connections.ts';
import type { CrdVerdict } from './kinds/crd-check.ts';
import type { Delivery, DeliverySeen } from './watch/delivery.ts';
import { missingKinds } from './kinds/optional-watches.ts';
import { lookForPlan, type KnownPlan } from './plan/pending.ts';
import { moveSockets, type MovesContext } from './rollout/socket-moves.ts';
import { planMessage, type PendingPlan } from './plan/changes.ts';
import { podFacts } from './watch/pods.ts';
import { identity, unwanted } from './kube/removal.ts';
import { manifestsOf, type Manifests } from './plan/manifests.ts';
import { drainDecision, followDrains, type DrainContext } from './rollout/requested-drains.ts';
import { rolloutStep, type ChatPod, type RolloutInput } from './rollout/rollout.ts';
import { missingSecrets } from './secrets/refs.ts';
import { replacing, sameJson } from './status/patch.ts';
import { grow, growthOf, type RefusedGrowth } from './storage/growth.ts';
import { storageView } from './storage/status.ts';
import { failedStatus, statusFor, type Seen } from './status/status.ts';
import { strimziObstacle, type StrimziSeen } from './kinds/strimzi.ts';
import { lookAtWaiting, type KnownWaiting } from './storage/waiting-claims.ts';

export interface ReconcileContext {
  transport: KubeTransport;
  applier: Applier;
  recorder: Recorder;
  environment: PlanEnvironment;
  /** the ChatCluster as last seen */
  cluster: (key: string) => KubeObject | undefined;
  /** every object that carries the labels of this cluster */
  owned: (namespace: string, cluster: string) => KubeObject[];
  /** kinds of prometheus-operator that there are */
  served: () => readonly MonitoringKind[];
  /** Asks the API server whether some of these have gone. */
  kindsGone: () => Promise<boolean>;
  /** its pods */
  pods: (namespace: string, cluster: string) => KubeObject[];
  connections: Pick<Connections, 'of' | 'settled'>;
  delivery: Pick<Delivery, 'of'>;
  /** undefined: nothing is known of the CRDs */
  crds: () => CrdVerdict | undefined;
  move: MovesContext['move'];
  readKeys: KeyRotationContext['readKeys'];
  drain: DrainContext['drain'];
  /** what this process found out and need not find out again at once; lost with it */
  memory: Memory;
  now: () => Date;
  /** Kafka of mode strimzi; asked of such clusters alone */
  strimzi?: (namespace: string, cluster: string) => StrimziSeen;
  /** the ChatDrills of a cluster */
  drills: (namespace: string, cluster: string) => KubeObject[];
  /** told of each drill that ends, and how */
  onDrillEnd?: (fault: string, result: string) => void;
  /** how long the canary is watched after the recovery of a drill */
  drillWatchMs: number;
  random?: (bytes: number) => Buffer;
}

/** By `namespace/name` of a ChatCluster. */
export type Memory = Map<string, ClusterMemory>;

interface ClusterMemory {
  /** of the ChatCluster */
  uid: string;
  /** the spec with its defaults, and the text of the one that it is of: to check it is a third of a reconcile that finds nothing to do */
  spec?: { of: string; checked: ChatCluster['spec'] };
  /** what is applied, and all of a plan that waits for approval: rendering takes longer than everything else */
  applied?: Manifests;
  complete?: Manifests;
  /** Secrets were looked at: of which plan, when, and which of somebody else's were missing */
  secrets?: { of: string; atMs: number; missing: string[] };
  /** the change of the signing key: as it was seen last, when, and what was asked for */
  keys?: { atMs: number; asked: string | undefined; rotation: KeyRotation | undefined };
  /** what waits for approval: of which objects, as they were seen */
  plan?: KnownPlan;
  /** what the API server said to volumes that should grow */
  refused: RefusedGrowth;
  /** what Kubernetes says of claims without a volume */
  waiting?: KnownWaiting;
  /** uids of pods that were told to go; the watch may show them a moment longer as if they were not */
  told: Set<string>;
  /** uids of HAProxy pods whose sockets were asked to go */
  proxies: Set<string>;
}

/** Secrets are not watched, so that the operator need not see those of others: they are looked at again after this time. */
const SECRETS_EVERY_MS = 30_000;

/** A rollout goes on by what its replicas tell every few seconds. */
const ROLLOUT_MS = 5000;

/** A change of the signing key takes minutes; this is how often it is looked at. */
const ROTATION_MS = 10_000;

/** While something is on its way the status is looked at again, also when no watch says so. */
const UNSETTLED_MS = 10_000;

/** What a reconcile saw, for those who go on from there. */
export interface ClusterView {
  plan: Plan;
  /** as it is written now */
  status: ChatClusterStatus;
  pods: readonly ChatPod[];
}

export interface Outcome {
  againAfterMs?: number;
  /** undefined: there is no cluster, or its spec leads nowhere */
  view?: ClusterView;
}

/** `away` is the server that a drill has taken away. */
export async function reconcileCluster(key: string, context: ReconcileContext, away?: Facts['away']): Promise<Outcome> {
  const live = context.cluster(key);
  // Deleted: owner references take everything along, and what was remembered of it goes too.
  if (!live || live.metadata.deletionTimestamp) {
    context.memory.delete(key);
    context.applier.forget(key);
    return {};
  }
  const memory = memoryOf(key, live, context);
  const parsed = parsedWith(memory, live);
  if (!parsed.ok)
    return fail(live, context, 'InvalidSpec', `The spec is not valid: ${parsed.problems.join('; ')}. Correct it and apply it again.`);
  const { cluster } = parsed;
  const plan = resolve(cluster, context.environment);
  const strimzi = plan.spec.kafka.mode === 'strimzi' ? context.strimzi?.(plan.namespace, plan.cluster) : undefined;
  const served = context.served();
  const kept = { away, served, strimzi: strimzi?.state === 'served' };
  const facts = { migrated: hasMigrated(plan, context) || hasRun(cluster.status, plan), ...kept };
  let wanted: readonly KubeObject[];
  try {
    wanted = (memory.applied = manifestsOf(plan, { facts, cluster, known: [memory.applied] })).objects;
  } catch (error) {
    return fail(live, context, 'RenderFailed', `The manifests cannot be made: ${(error as Error).message}`);
  }
  const pods = podsOf(plan, context);
  const pending = cluster.spec.paused ? undefined : await lookAtPlan(plan, live, { cluster, pods, memory, context, kept });
  if (!cluster.spec.paused && !pending) {
    try {
      await lookAtSecrets(plan, live, { memory, context });
      await applyAll(wanted, live, { plan, memory, context });
    } catch (error) {
      // A kind has gone a moment ago, with its definition: that is known now, and every cluster comes again.
      if (isNotFound(error) && (await context.kindsGone())) return {};
      // A refusal by the API server is for a person to read; the back-off tries again all the same.
      if (isRefusal(error)) await fail(live, context, 'ApplyFailed', `The API server refused an object: ${error.message}`);
      throw error;
    }
  }
  const keyRotation = cluster.spec.paused ? cluster.status?.keyRotation : await lookAtKeys(plan, live, { pods, memory, context });
  const drains = drainDecision(pods, { paused: cluster.spec.paused });
  await followDrains(live, drains, context);
  const rollout = await rollOut(plan, live, { pods, memory, context });
  if (!cluster.spec.paused) {
    const settled = context.connections.settled(key);
    const { replicas } = plan.spec.chat;
    await moveSockets({ live, pods, replicas, settled, rollingOut: rollout !== undefined, asked: memory.proxies }, context);
  }
  const status = statusFor({
    generation: live.metadata.generation ?? 0,
    previous: cluster.status,
    plan,
    seen: look(plan, context),
    pods,
    rollout,
    delivery: context.delivery.of(key)?.report,
    crds: context.crds(),
    storage: await lookAtStorage(plan, pods, { memory, context }),
    missing: memory.secrets?.missing ?? [],
    strimzi: strimzi && strimziObstacle(strimzi, plan),
    failedBackups: failedBackups(context.owned(plan.namespace, plan.cluster)),
    idleAutoscaler: idleAutoscaler(context.owned(plan.namespace, plan.cluster)),
    missingKinds: missingKinds(plan, served),
    pending,
    keyRotation,
    drains: drains.told,
    paused: cluster.spec.paused,
    now: context.now(),
  });
  await patchStatus(live, status, context);
  const view = { plan, status, pods };
  // How far a drain is, is told as often.
  if (rollout !== undefined || [...drains.told.values()].some((told) => told !== 'empty')) return { view, againAfterMs: ROLLOUT_MS };
  if (isRotating(keyRotation)) return { view, againAfterMs: ROTATION_MS };
  return status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True' ? { view } : { view, againAfterMs: UNSETTLED_MS };
}

function parsedWith(memory: ClusterMemory, live: KubeObject): ParsedChatCluster {
  const of = JSON.stringify(live['spec']);
  if (memory.spec?.of === of) return { ok: true, cluster: { ...(live as unknown as ChatCluster), spec: memory.spec.checked } };
  const parsed = parseChatCluster(live);
  if (parsed.ok) memory.spec = { of, checked: parsed.cluster.spec };
  return parsed;
}

/** One of the same name that was made anew is another one. */
function memoryOf(key: string, { metadata: { uid = '' } }: KubeObject, { memory }: ReconcileContext): ClusterMemory {
  let known = memory.get(key);
  if (known?.uid !== uid) memory.set(key, (known = { uid, refused: new Map(), told: new Set(), proxies: new Set() }));
  return known;
}

/** Those of our own are made, those of others only looked for. */
async function lookAtSecrets(plan: Plan, live: KubeObject, { memory, context }: { memory: ClusterMemory; context: ReconcileContext }) {
  const { transport, random = randomBytes, now } = context;
  const of = JSON.stringify(plan);
  const atMs = now().getTime();
  const { secrets } = memory;
  if (secrets?.of === of && secrets.missing.length === 0 && Math.abs(atMs - secrets.atMs) < SECRETS_EVERY_MS) return;
  await ensureSecrets(plan, live, transport, random);
  memory.secrets = { of, atMs, missing: await missingSecrets(plan, transport, now()) };
}

/** Keys are no manifest: they change also while a plan waits for approval. */
async function lookAtKeys(plan: Plan, live: KubeObject, { pods, memory, context }: RolloutParts): Promise<KeyRotation | undefined> {
  const { random = randomBytes, now } = context;
  const atMs = now().getTime();
  const asked = live.metadata.annotations?.[ROTATE_ANNOTATION];
  const { keys } = memory;
  const every = isRotating(keys?.rotation) ? ROTATION_MS - 1000 : SECRETS_EVERY_MS;
  if (keys && keys.asked === asked && Math.abs(atMs - keys.atMs) < every) return keys.rotation;
  const rotation = await rotateSigningKey(plan, live, pods, { ...context, random });
  memory.keys = { atMs, asked, rotation };
  return rotation;
}

/** With changePolicy Plan: what waits for approval. Until it is given nothing is applied. */
async function lookAtPlan(
  plan: Plan,
  live: KubeObject,
  { cluster, pods, memory, context, kept }: RolloutParts & { cluster: ChatCluster; kept: Omit<Facts, 'migrated'> },
): Promise<PendingPlan | undefined> {
  if (plan.spec.changePolicy !== 'Plan') return void delete memory.complete;
  const { applier, owned, recorder } = context;
  const facts = { migrated: true, ...kept };
  memory.complete = manifestsOf(plan, { facts, cluster, known: [memory.applied, memory.complete] });
  const known = await lookForPlan(
    {
      ...{ plan, live, applier },
      complete: memory.complete.objects,
      owned: owned(plan.namespace, plan.cluster),
      claims: claimsOf(plan, context),
      sockets: pods.reduce((sum, { sockets }) => sum + (sockets?.connections ?? 0), 0),
    },
    memory.plan,
  );
  if (known.pending && known !== memory.plan)
    recorder.record(live, { type: 'Normal', reason: 'PlanPending', action: 'Plan', note: planMessage(known.pending, plan) });
  memory.plan = known;
  return known.pending;
}

function podsOf(plan: Plan, { pods, connections }: ReconcileContext): ChatPod[] {
  return pods(plan.namespace, plan.cluster)
    .map(podFacts)
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((pod) => ({ ...pod, sockets: pod.component === 'chat' ? connections.of(pod.uid) : undefined }));
}

interface RolloutParts {
  pods: readonly ChatPod[];
  memory: ClusterMemory;
  context: ReconcileContext;
}

/** Takes the next step of a rollout of chat. Returns what it does or waits for; undefined: there is none. */
async function rollOut(plan: Plan, live: KubeObject, { pods, memory, context }: RolloutParts): Promise<string | undefined> {
  const { transport, recorder, connections } = context;
  if (plan.spec.paused) return undefined;
  const chat = look(plan, context).find(({ planned }) => planned.component === 'chat')?.object;
  const seen = chat?.['status'] as { observedGeneration?: number; updateRevision?: string } | undefined;
  const current = (seen?.observedGeneration ?? 0) >= (chat?.metadata.generation ?? 1);
  const ofChat = pods.filter(({ component }) => component === 'chat');
  for (const uid of memory.told) if (!ofChat.some((pod) => pod.uid === uid)) memory.told.delete(uid);
  const { replace, message } = rolloutStep({
    replicas: plan.spec.chat.replicas,
    updateRevision: current ? seen?.updateRevision : undefined,
    pods: ofChat.map((pod) => (memory.told.has(pod.uid) ? { ...pod, ready: false, terminating: true } : pod)),
    settled: connections.settled(`${plan.namespace}/${plan.cluster}`),
    unhealthy: unhealthy(context.delivery.of(`${plan.namespace}/${plan.cluster}`)),
  });
  for (const { name, uid } of replace) {
    await transport
      .request('DELETE', pathOf(podResource, plan.namespace, name), { body: { preconditions: { uid } } })
      .catch((error: unknown) => {
        // Gone, or another pod of that name: the next look decides anew.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      });
    memory.told.add(uid);
  }
  if (message !== undefined && replace.length > 0)
    recorder.record(live, { type: 'Normal', reason: 'ReplicaReplaced', action: 'Rollout', note: message });
  return message;
}

function unhealthy(seen: DeliverySeen | undefined): RolloutInput['unhealthy'] {
  if (!seen?.report || seen.failingSinceMs === undefined) return undefined;
  return { message: seen.report.message, forMs: performance.now() - seen.failingSinceMs };
}

async function applyAll(
  wanted: readonly KubeObject[],
  live: KubeObject,
  { plan, memory, context }: { plan: Plan; memory: ClusterMemory; context: ReconcileContext },
): Promise<void> {
  const { applier, owned, recorder, transport, now } = context;
  const growth = growthOf(wanted, owned(plan.namespace, plan.cluster), claimsOf(plan, context));
  await grow(growth, {
    ...{ transport, applier, namespace: plan.namespace, refused: memory.refused, now: now() },
    onStep: (reason, note) => recorder.record(live, { type: 'Normal', reason, action: 'Grow', note }),
  });
  for (const object of growth.objects) {
    if (await applier.apply(object))
      recorder.record(live, { type: 'Normal', reason: 'Applied', action: 'Apply', note: `Applied ${identity(object)}` });
  }
  for (const object of unwanted(owned(plan.namespace, plan.cluster), wanted, { live, plan })) {
    await applier.remove(object);
    recorder.record(live, {
      type: 'Normal',
      reason: 'Removed',
      action: 'Delete',
      note: `Removed ${identity(object)}, which the spec no longer asks for`,
    });
  }
}

const claimsOf = ({ namespace, cluster }: Plan, { owned }: ReconcileContext) => owned(namespace, cluster).filter(isKeptVolume).map(claimOf);

/** Also while the cluster is paused: what is wrong with volumes is told all the same. */
async function lookAtStorage(plan: Plan, pods: readonly ChatPod[], { memory, context }: Omit<RolloutParts, 'pods'>) {
  const { transport, now } = context;
  const claims = claimsOf(plan, context);
  memory.waiting = await lookAtWaiting(claims, { transport, namespace: plan.namespace, now: now() }, memory.waiting);
  return storageView({ plan, claims, pods, refused: memory.refused, waiting: memory.waiting.said });
}

const look = (plan: Plan, { owned }: ReconcileContext): Seen[] => {
  const objects = owned(plan.namespace, plan.cluster);
  return componentsOf(plan).map((planned) => ({
    planned,
    object: objects.find((object) => object.kind === planned.kind && object.metadata.name === planned.name),
  }));
};

function hasMigrated(plan: Plan, context: ReconcileContext): boolean {
  const job = look(plan, context).find(({ planned }) => planned.kind === 'Job')?.object;
  return ((job?.['status'] as { succeeded?: number } | undefined)?.succeeded ?? 0) > 0;
}

/** The Job may have been cleaned away after it succeeded; the condition remembers it for the version that runs. */
function hasRun(status: ChatClusterStatus | undefined, plan: Plan): boolean {
  return (
    status?.version === plan.spec.version &&
    status.conditions?.some(({ type, status: value }) => type === 'MigrationsReady' && value === 'True') === true
  );
}

async function fail(
  live: KubeObject,
  context: ReconcileContext,
  reason: 'InvalidSpec' | 'RenderFailed' | 'ApplyFailed',
  message: string,
): Promise<{ againAfterMs?: number }> {
  context.recorder.record(live, { type: 'Warning', reason, action: 'Reconcile', note: message });
  const previous = live['status'] as ChatClusterStatus | undefined;
  await patchStatus(
    live,
    failedStatus({ generation: live.metadata.generation ?? 0, previous, now: context.now() }, reason, message),
    context,
  );
  return {};
}

/** No write when nothing changed: a status write must not wake the next reconcile. */
async function patchStatus(live: KubeObject, status: ChatClusterStatus, { transport }: ReconcileContext): Promise<void> {
  if (sameJson(live['status'], status)) return;
  await transport.request('PATCH', pathOf(chatClusters, live.metadata.namespace, live.metadata.name, 'status'), {
    contentType: 'application/merge-patch+json',
    body: { status: replacing(live['status'], status) },
  });
}
