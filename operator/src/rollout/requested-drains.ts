// Chat replicas that somebody wants empty, told by an annotation of their pods: before the maintenance of a node, for instance. The decision
// is pure and made anew at every look: what is asked for and what a replica says are compared, nothing is remembered.
import type { KubeObject } from '../kube/transport.ts';
import type { Recorder } from '../kube/recorder.ts';
import type { ChatPod } from './rollout.ts';

export interface DrainOrder {
  pod: ChatPod;
  drain: boolean;
}

export interface DrainDecision {
  orders: DrainOrder[];
  /** how the drain of a replica is, by its name, of those that somebody wants empty */
  told: Map<string, string>;
}

export interface DrainContext {
  recorder: Pick<Recorder, 'record'>;
  /** Asks the replica at an address to let its sockets go, or to take sockets again; throws when it does not. */
  drain: (ip: string, drain: boolean) => Promise<unknown>;
}

/** Somebody has to take the sockets: the last replica that serves is not emptied, and takes them back when the others are gone. */
export function drainDecision(pods: readonly ChatPod[], { paused = false } = {}): DrainDecision {
  const chat = pods.filter(({ component, terminating }) => component === 'chat' && !terminating);
  const takers = chat.flatMap(({ ready, drainAsked, sockets }) => (ready && !drainAsked && sockets && !sockets.draining ? [sockets] : []));
  let room = takers.reduce((sum, { connections, maxConnections }) => sum + Math.max(0, maxConnections - connections), 0);
  const orders: DrainOrder[] = [];
  const told = new Map<string, string>();
  for (const pod of chat.filter(({ drainAsked, sockets }) => !drainAsked && sockets?.asked)) orders.push({ pod, drain: false });
  const wanted = chat.filter(({ drainAsked }) => drainAsked);
  // Sockets of those that drain already are on their way.
  for (const { sockets } of wanted) if (sockets?.asked) room -= sockets.connections;
  for (const pod of wanted) {
    const { name, sockets } = pod;
    if (!sockets) told.set(name, 'waits: it does not answer');
    else if (takers.length === 0) {
      if (sockets.asked) orders.push({ pod, drain: false });
      told.set(name, 'waits: no other replica takes sockets');
    } else if (sockets.asked) told.set(name, sockets.connections === 0 ? 'empty' : 'draining');
    else if (room < sockets.connections)
      told.set(name, `waits: it has ${sockets.connections} sockets and the others room for ${Math.max(0, room)}; raise spec.chat.replicas`);
    else {
      room -= sockets.connections;
      orders.push({ pod, drain: true });
      told.set(name, 'draining');
    }
  }
  if (!paused) return { orders, told };
  for (const { pod, drain } of orders) if (drain) told.set(pod.name, 'waits: the ChatCluster is paused');
  return { orders: [], told };
}

/** A replica that does not obey is asked again by the next look. */
export async function followDrains(live: KubeObject, { orders, told }: DrainDecision, { recorder, drain }: DrainContext): Promise<void> {
  await Promise.all(
    orders.map(async ({ pod: { name, ip = '', sockets }, drain: away }) => {
      try {
        await drain(ip, away);
      } catch (error) {
        if (away) told.set(name, `waits: it did not take the order (${(error as Error).message.slice(0, 200)})`);
        return;
      }
      const note = away ? `${name} is asked to let its ${sockets?.connections ?? 0} sockets go` : `${name} takes sockets again`;
      recorder.record(live, { type: 'Normal', reason: away ? 'ReplicaDrains' : 'ReplicaServes', action: 'Drain', note });
    }),
  );
}
