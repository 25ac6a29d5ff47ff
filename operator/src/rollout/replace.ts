// The step of a reconcile that replaces chat replicas: it does what the next step of the rollout says.
import type { Plan } from '@parley/cdk8s';
import type { Recorder } from '../kube/recorder.ts';
import { pathOf, pods as podResource } from '../kube/resources.ts';
import { isConflict, isNotFound, type KubeObject, type KubeTransport } from '../kube/transport.ts';
import type { Delivery, DeliverySeen } from '../watch/delivery.ts';
import { partsOf, workloadStatus } from '../watch/workloads.ts';
import type { Connections } from './connections.ts';
import { rolloutStep, type ChatPod, type RolloutInput } from './rollout.ts';

export interface RolloutMemory {
  /** uids of pods that were told to go; the watch may show them a moment longer as if they were not */
  told: Set<string>;
}

export interface RolloutContext {
  transport: KubeTransport;
  recorder: Pick<Recorder, 'record'>;
  connections: Pick<Connections, 'settled'>;
  delivery: Pick<Delivery, 'of'>;
}

interface RolloutSeen {
  /** `namespace/name` */
  key: string;
  plan: Plan;
  live: KubeObject;
  owned: () => KubeObject[];
  /** of all components */
  pods: readonly ChatPod[];
}

/** Returns what the rollout does or waits for; undefined: there is none. */
export async function rollOut(
  { key, plan, live, owned, pods }: RolloutSeen,
  { told }: RolloutMemory,
  { transport, recorder, connections, delivery }: RolloutContext,
): Promise<string | undefined> {
  if (plan.spec.paused) return undefined;
  const chat = partsOf(plan, owned()).find(({ planned }) => planned.component === 'chat')?.object;
  const { observedGeneration = 0, updateRevision } = workloadStatus(chat);
  const current = observedGeneration >= (chat?.metadata.generation ?? 1);
  const ofChat = pods.filter(({ component }) => component === 'chat');
  for (const uid of told) if (!ofChat.some((pod) => pod.uid === uid)) told.delete(uid);
  const { replace, message } = rolloutStep({
    replicas: plan.spec.chat.replicas,
    updateRevision: current ? updateRevision : undefined,
    pods: ofChat.map((pod) => (told.has(pod.uid) ? { ...pod, ready: false, terminating: true } : pod)),
    settled: connections.settled(key),
    unhealthy: unhealthy(delivery.of(key)),
  });
  for (const { name, uid } of replace) {
    await transport
      .request('DELETE', pathOf(podResource, plan.namespace, name), { body: { preconditions: { uid } } })
      .catch((error: unknown) => {
        // Gone, or another pod of that name: the next look decides anew.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      });
    told.add(uid);
  }
  if (message !== undefined && replace.length > 0)
    recorder.record(live, { type: 'Normal', reason: 'ReplicaReplaced', action: 'Rollout', note: message });
  return message;
}

function unhealthy(seen: DeliverySeen | undefined): RolloutInput['unhealthy'] {
  if (!seen?.report || seen.failingSinceMs === undefined) return undefined;
  return { message: seen.report.message, forMs: performance.now() - seen.failingSinceMs };
}
