// One reconcile, from a key to what is done about it, as a list of steps. Level-based: it looks at what is, not at what happened. It ends in
// three ways: by a throw (back-off), by a condition that only a new spec can change, or by a wish to run again.
import type { MonitoringKind } from '@parley/cdk8s';
import { advanceDrills, bringBackWhatDrillsTook, ECHO_MS, type ClusterView, type DrillsContext, type DrillsSeen } from './drills/drills.ts';
import { isNotFound, isRefusal, type ApiError, type KubeObject } from './kube/transport.ts';
import type { Paces } from './paces.ts';
import { applyObjects, type ApplyContext } from './plan/apply.ts';
import { awaitApproval, type ApprovalMemory } from './plan/approval.ts';
import { readCluster, type ClusterSeen, type ReadContext, type ReadMemory } from './plan/read.ts';
import type { Connections } from './rollout/connections.ts';
import { rollOut, type RolloutContext, type RolloutMemory } from './rollout/replace.ts';
import { drainDecision, followDrains, type DrainContext } from './rollout/requested-drains.ts';
import { moveSockets, type MovesContext } from './rollout/socket-moves.ts';
import type { KeyRotationContext } from './secrets/key-rotation.ts';
import { lookAtKeys, lookAtSecrets, type KeysMemory, type SecretsMemory } from './secrets/look.ts';
import { isRotating } from './secrets/signing-keys.ts';
import { tellStatus, tellUnusable, type StatusContext, type StatusMemory, type Told } from './status/tell.ts';

type StepContexts = ReadContext & ApplyContext & RolloutContext & MovesContext & DrainContext & StatusContext & DrillsContext;

/** What the steps need of the world: each says which part of it. */
export interface ReconcileContext extends StepContexts {
  connections: Pick<Connections, 'of' | 'settled'>;
  served: () => readonly MonitoringKind[];
  readKeys: KeyRotationContext['readKeys'];
  /** Asks the API server whether some of the kinds of prometheus-operator have gone. */
  kindsGone: () => Promise<boolean>;
  /** what this process found out and need not find out again at once; lost with it */
  memory: Memory;
  paces: Paces;
  random?: (bytes: number) => Buffer;
}

/** By `namespace/name` of a ChatCluster. */
export type Memory = Map<string, ClusterMemory>;

interface ClusterMemory extends ReadMemory, ApprovalMemory, SecretsMemory, KeysMemory, RolloutMemory, StatusMemory {
  /** of the ChatCluster */
  uid: string;
  /** uids of HAProxy pods whose sockets were asked to go */
  proxies: Set<string>;
}

/** When to look again, also when no watch says so; undefined: not before that. */
export interface Again {
  againAfterMs?: number;
}

/** Steps: what drills took comes back, read, plan, secrets, apply, keys, drains, rollout, moves, status, drills. */
export async function reconcile(key: string, context: ReconcileContext): Promise<Again> {
  // Before anything else, so that no spec, pause or failure stands in the way.
  const drills = await bringBackWhatDrillsTook(key, context);
  // What the watch shows still is not what is: it would be taken for a wish.
  if (drills.broughtBack) return { againAfterMs: ECHO_MS };
  const read = await readOrTell(key, drills, context);
  const end: End = read ? await bringAbout(read, context) : {};
  // A kind has gone a moment ago, with its definition: that is known now, and every cluster comes again.
  if (end.kindsGone) return {};
  const drilled = await advanceDrills(drills, end.view, context);
  // The back-off tries again what was refused.
  if (end.refused) throw end.refused;
  return soonest(end, drilled);
}

interface Read {
  seen: ClusterSeen;
  memory: ClusterMemory;
}

/** undefined: there is no cluster, or its spec leads nowhere, which is told. */
async function readOrTell(key: string, { away }: DrillsSeen, context: ReconcileContext): Promise<Read | undefined> {
  const live = context.cluster(key);
  // Deleted: owner references take everything along, and what was remembered of it goes too.
  if (!live || live.metadata.deletionTimestamp) {
    context.memory.delete(key);
    context.applier.forget(key);
    return undefined;
  }
  const memory = memoryOf(key, live, context);
  const read = readCluster(live, { memory, away: away?.component }, context);
  if ('seen' in read) return { seen: read.seen, memory };
  await tellUnusable(live, read.unusable, context);
  return undefined;
}

/** One of the same name that was made anew is another one. */
function memoryOf(key: string, { metadata: { uid = '' } }: KubeObject, { memory }: ReconcileContext): ClusterMemory {
  let known = memory.get(key);
  if (known?.uid !== uid) memory.set(key, (known = { uid, refused: new Map(), told: new Set(), proxies: new Set() }));
  return known;
}

interface End extends Again {
  view?: ClusterView;
  /** what the API server refused */
  refused?: ApiError | undefined;
  kindsGone?: boolean;
}

async function bringAbout({ seen, memory }: Read, context: ReconcileContext): Promise<End> {
  const { key, live, cluster, plan, pods } = seen;
  const { paused } = plan.spec;
  const pending = paused ? undefined : await awaitApproval(seen, memory, context);
  const applied = paused || pending ? {} : await makeAndApply({ seen, memory }, context);
  if (applied.kindsGone) return applied;
  const { refused } = applied;
  const keyRotation = paused ? cluster.status?.keyRotation : await lookAtKeys(seen, memory, context);
  const drains = drainDecision(pods, { paused });
  await followDrains(live, drains, context);
  const rollout = await rollOut(seen, memory, context);
  if (!paused) {
    const replicas = plan.spec.chat.replicas;
    const settled = context.connections.settled(key);
    await moveSockets({ live, pods, replicas, settled, rollingOut: rollout !== undefined, asked: memory.proxies }, context);
  }
  const missing = memory.secrets?.missing ?? [];
  const told: Told = { refused: refused?.message, missing, pending, keyRotation, drains: drains.told, rollout };
  const status = await tellStatus(seen, { told, memory }, context);
  return { view: { plan, status, pods }, refused, ...lookAgain(told, status, context.paces) };
}

/** A refusal by the API server is for a person to read, and no reason to leave the rest undone. */
async function makeAndApply({ seen, memory }: Read, context: ReconcileContext): Promise<Pick<End, 'refused' | 'kindsGone'>> {
  try {
    await lookAtSecrets(seen, memory, context);
    await applyObjects(seen, memory, context);
    return {};
  } catch (error) {
    if (isNotFound(error) && (await context.kindsGone())) return { kindsGone: true };
    if (!isRefusal(error)) throw error;
    const note = `The API server refused an object: ${error.message}`;
    context.recorder.record(seen.live, { type: 'Warning', reason: 'ApplyFailed', action: 'Reconcile', note });
    return { refused: error };
  }
}

function lookAgain({ rollout, drains, keyRotation }: Told, { conditions }: ClusterView['status'], paces: Paces): Again {
  if (rollout !== undefined || [...(drains?.values() ?? [])].some((drain) => drain !== 'empty')) return { againAfterMs: paces.rollout };
  if (isRotating(keyRotation)) return { againAfterMs: paces.keys };
  return conditions?.find(({ type }) => type === 'Ready')?.status === 'True' ? {} : { againAfterMs: paces.unsettled };
}

function soonest(...wishes: Again[]): Again {
  const times = wishes.flatMap(({ againAfterMs }) => againAfterMs ?? []);
  return times.length === 0 ? {} : { againAfterMs: Math.min(...times) };
}
