// The step of a reconcile that tells: the status is written when it is another one than before.
import type { ChatClusterStatus } from '@parley/operator-api';
import type { CrdVerdict } from '../kinds/crd-check.ts';
import { missingKinds } from '../kinds/optional-watches.ts';
import { strimziObstacle } from '../kinds/strimzi.ts';
import type { Recorder } from '../kube/recorder.ts';
import { chatClusters, isKeptVolume, pathOf } from '../kube/resources.ts';
import { MERGE_PATCH, type KubeObject, type KubeTransport } from '../kube/transport.ts';
import type { Paces } from '../paces.ts';
import type { ClusterSeen, Unusable } from '../plan/read.ts';
import { claimOf } from '../storage/claims.ts';
import type { RefusedGrowth } from '../storage/growth.ts';
import { storageView } from '../storage/status.ts';
import { lookAtWaiting, type KnownWaiting } from '../storage/waiting-claims.ts';
import { idleAutoscaler } from '../watch/autoscaler-runs.ts';
import { failedBackups } from '../watch/backup-runs.ts';
import type { Delivery } from '../watch/delivery.ts';
import { partsOf } from '../watch/workloads.ts';
import type { StatusInput } from './input.ts';
import { replacing, sameJson } from './patch.ts';
import { failedStatus, statusFor } from './status.ts';

export interface StatusMemory {
  /** what the API server said to volumes that should grow */
  refused: RefusedGrowth;
  /** what Kubernetes says of claims without a volume */
  waiting?: KnownWaiting;
}

export interface StatusContext {
  transport: KubeTransport;
  recorder: Pick<Recorder, 'record'>;
  delivery: Pick<Delivery, 'of'>;
  /** undefined: nothing is known of the CRDs */
  crds: () => CrdVerdict | undefined;
  now: () => Date;
  paces: Pick<Paces, 'claims'>;
}

/** What the other steps found out. */
export type Told = Pick<StatusInput, 'refused' | 'missing' | 'pending' | 'keyRotation' | 'drains' | 'rollout'>;

/** Returns the status as it is written now. */
export async function tellStatus(
  { key, live, cluster, plan, pods, owned, served, strimzi }: ClusterSeen,
  { told, memory }: { told: Told; memory: StatusMemory },
  { transport, delivery, crds, now, paces }: StatusContext,
): Promise<ChatClusterStatus> {
  const claims = owned().filter(isKeptVolume).map(claimOf);
  // Also while the cluster is paused: what is wrong with volumes is told all the same.
  const asking = { transport, namespace: plan.namespace, now: now(), askAgainMs: paces.claims };
  memory.waiting = await lookAtWaiting(claims, asking, memory.waiting);
  const objects = owned();
  const status = statusFor({
    ...{ generation: live.metadata.generation ?? 0, previous: cluster.status, plan, pods, paused: plan.spec.paused },
    ...told,
    parts: partsOf(plan, objects),
    delivery: delivery.of(key)?.report,
    crds: crds(),
    storage: storageView({ plan, claims, pods, refused: memory.refused, waiting: memory.waiting.said }),
    strimzi: strimzi && strimziObstacle(strimzi, plan),
    failedBackups: failedBackups(objects),
    idleAutoscaler: idleAutoscaler(objects),
    missingKinds: missingKinds(plan, served),
    now: now(),
  });
  await patchStatus(live, status, transport);
  return status;
}

/** Of a spec that leads nowhere only this is told; the rest stays as it was. */
export async function tellUnusable(
  live: KubeObject,
  { reason, message }: Unusable,
  { transport, recorder, now }: StatusContext,
): Promise<void> {
  recorder.record(live, { type: 'Warning', reason, action: 'Reconcile', note: message });
  const previous = live['status'] as ChatClusterStatus | undefined;
  const status = failedStatus({ generation: live.metadata.generation ?? 0, previous, now: now() }, reason, message);
  await patchStatus(live, status, transport);
}

/** No write when nothing changed: a status write must not wake the next reconcile. */
async function patchStatus(live: KubeObject, status: ChatClusterStatus, transport: KubeTransport): Promise<void> {
  if (sameJson(live['status'], status)) return;
  await transport.request('PATCH', pathOf(chatClusters, live.metadata.namespace, live.metadata.name, 'status'), {
    contentType: MERGE_PATCH,
    body: { status: replacing(live['status'], status) },
  });
}
