// The next step of a rollout of chat: which replicas to replace now, and what the rollout waits for. Pure.
//
// Live sockets are state to protect: one serving replica at a time is told to go; it asks its sockets to reconnect at the paced rate and
// ends. The next one goes when its successor is ready and the sockets have come back. A replica that serves nobody is no reason to wait:
// a spec that repairs a crash loop must always get through (ADR 0012).
import type { PodConnections } from './connections.ts';
import type { PodFacts } from '../watch/pods.ts';

export interface ChatPod extends PodFacts {
  /** undefined: it was not reached */
  sockets: PodConnections | undefined;
}

export interface RolloutInput {
  replicas: number;
  /** revision that the StatefulSet wants; undefined while its controller has not seen the newest spec */
  updateRevision: string | undefined;
  pods: readonly ChatPod[];
  /** the number of sockets has stopped changing since the last replica was replaced */
  settled: boolean;
  /** what the canary says is wrong with delivery, and since when */
  unhealthy?: { message: string; forMs: number } | undefined;
}

export interface RolloutStep {
  replace: ChatPod[];
  /** What happens, for status and events; undefined: there is no rollout. */
  message: string | undefined;
}

const DONE: RolloutStep = { replace: [], message: undefined };

/** A revision that breaks delivery goes no further for so long. After that the rollout itself may be what mends it. */
export const HELD_MS = 15 * 60_000;

export function rolloutStep({ replicas, updateRevision, pods, settled, unhealthy }: RolloutInput): RolloutStep {
  if (updateRevision === undefined) return DONE;
  const isOutdated = (pod: ChatPod) => pod.revision !== updateRevision;
  const outdated = pods.filter((pod) => isOutdated(pod) && !pod.terminating);
  const leaving = pods.filter((pod) => isOutdated(pod) && pod.terminating);
  if (outdated.length + leaving.length === 0) return DONE;
  const updated = pods.filter((pod) => !isOutdated(pod) && !pod.terminating);
  const progress = `${updated.length} of ${replicas} chat replicas are of the new revision`;
  const wait = (reason: string): RolloutStep => ({ replace: [], message: `${progress}; ${reason}` });

  const useless = outdated.filter(servesNobody);
  if (useless.length > 0) return { replace: useless, message: `${progress}; replacing ${namesOf(useless)}, which serves nobody` };
  const going = pods.filter((pod) => pod.terminating);
  if (going.length > 0) return wait(going.map(draining).join(', '));
  if (outdated.length === 0) return DONE;
  const unready = updated.filter((pod) => !pod.ready);
  if (unready.length > 0) return wait(unready.map(notReady).join(', '));
  if (pods.length < replicas) return wait('a replica is being made');
  if (!settled) return wait('sockets are on their way back');
  if (unhealthy && updated.length > 0 && unhealthy.forMs < HELD_MS)
    return wait(`held, because delivery is not healthy: ${unhealthy.message}`);

  const [next, ...rest] = [...outdated].sort(fewestSockets);
  if (!next) return DONE;
  const room = roomIn([...rest, ...updated]);
  const needed = next.sockets?.connections ?? 0;
  if (room !== undefined && room < needed)
    return wait(`${next.name} has ${needed} sockets and the others room for ${room}: raise spec.chat.replicas or spec.chat.maxConnections`);
  return { replace: [next], message: `${progress}; ${next.name} is told to go with ${next.sockets?.connections ?? 'unknown'} sockets` };
}

/**
 * Not ready and without a socket. One that is only not ready, because a database is away, may hold sockets still; and one that runs but does
 * not answer is busy rather than empty: under a load that slows all of them down, all would go at once.
 */
const servesNobody = ({ ready, started = false, sockets }: ChatPod): boolean => !ready && (sockets ? sockets.connections === 0 : !started);
const namesOf = (pods: readonly ChatPod[]): string => pods.map(({ name }) => name).join(', ');
const draining = ({ name, sockets }: ChatPod): string => `${name} drains, ${sockets?.connections ?? 'no'} sockets left`;
const notReady = ({ name, problem }: ChatPod): string =>
  problem ? `${name} is not ready: ${problem.reason}: ${problem.message}; ${problem.next}` : `${name} starts`;

/** The fewest first, then the highest number, as a StatefulSet would. */
function fewestSockets(one: ChatPod, other: ChatPod): number {
  const difference = (one.sockets?.connections ?? 0) - (other.sockets?.connections ?? 0);
  return difference === 0 ? ordinalOf(other) - ordinalOf(one) : difference;
}

const ordinalOf = ({ name }: ChatPod): number => Number(/-(\d+)$/.exec(name)?.[1] ?? 0);

/** undefined: nobody else, or not known. */
function roomIn(others: readonly ChatPod[]): number | undefined {
  const known = others.flatMap(({ ready, sockets }) => (ready && sockets ? [sockets.maxConnections - sockets.connections] : []));
  return known.length === others.length && known.length > 0 ? known.reduce((sum, free) => sum + Math.max(0, free), 0) : undefined;
}
