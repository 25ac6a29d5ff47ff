// The step of a reconcile that waits: with changePolicy Plan nothing is applied before the plan is approved.
import type { Applier } from '../kube/applier.ts';
import { isKeptVolume } from '../kube/resources.ts';
import type { Recorder } from '../kube/recorder.ts';
import { claimOf } from '../storage/claims.ts';
import { planMessage, type PendingPlan } from './changes.ts';
import { manifestsOf, type Manifests } from './manifests.ts';
import { lookForPlan, type KnownPlan } from './pending.ts';
import type { ClusterSeen } from './read.ts';

export interface ApprovalMemory {
  /** what is applied */
  applied?: Manifests;
  /** all of a plan that waits for approval */
  complete?: Manifests;
  /** what waits for approval: of which objects, as they were seen */
  plan?: KnownPlan;
}

/** What waits for approval; undefined: nothing does. */
export async function awaitApproval(
  { live, cluster, plan, facts, owned, pods }: ClusterSeen,
  memory: ApprovalMemory,
  { applier, recorder }: { applier: Applier; recorder: Pick<Recorder, 'record'> },
): Promise<PendingPlan | undefined> {
  if (plan.spec.changePolicy !== 'Plan') return void delete memory.complete;
  // As if its migration had run: it is part of what is approved.
  memory.complete = manifestsOf(plan, { facts: { ...facts, migrated: true }, cluster, known: [memory.applied, memory.complete] });
  const objects = owned();
  const known = await lookForPlan(
    {
      ...{ plan, live, applier },
      complete: memory.complete.objects,
      owned: objects,
      claims: objects.filter(isKeptVolume).map(claimOf),
      sockets: pods.reduce((sum, { sockets }) => sum + (sockets?.connections ?? 0), 0),
    },
    memory.plan,
  );
  if (known.pending && known !== memory.plan)
    recorder.record(live, { type: 'Normal', reason: 'PlanPending', action: 'Plan', note: planMessage(known.pending, plan) });
  memory.plan = known;
  return known.pending;
}
