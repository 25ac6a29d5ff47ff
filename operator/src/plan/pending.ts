// changePolicy Plan: what waits for approval, found out by dry runs of the API server.
import type { Plan } from '@parley/cdk8s';
import type { Claim } from '../storage/claims.ts';
import type { Applier } from '../kube/applier.ts';
import type { KubeObject } from '../kube/transport.ts';
import { APPROVE_ANNOTATION, changeOf, growthChanges, planHash, type PendingPlan } from './changes.ts';
import { identity, unwanted } from '../kube/removal.ts';
import { growthOf } from '../storage/growth.ts';

export interface PlanQuestion {
  plan: Plan;
  /** the ChatCluster */
  live: KubeObject;
  /** all objects of the plan, as if its migration had run: it is part of what is approved */
  complete: readonly KubeObject[];
  owned: readonly KubeObject[];
  /** among them the volumes */
  claims: readonly Claim[];
  /** open now */
  sockets: number;
  applier: Applier;
}

/** An answer, and what it holds for. */
export interface KnownPlan {
  of: string;
  pending: PendingPlan | undefined;
}

/** `known` is returned as it is while nothing changed, so that a plan that waits costs no calls. */
export async function lookForPlan(
  { plan, live, complete, owned, claims, sockets, applier }: PlanQuestion,
  known: KnownPlan | undefined,
): Promise<KnownPlan> {
  const hash = planHash(complete);
  if (live.metadata.annotations?.[APPROVE_ANNOTATION] === hash) return { of: '', pending: undefined };
  // A generation, where there is one, does not move with the status.
  const seen = owned.map((object) => [
    identity(object),
    object.metadata.uid,
    object.metadata.generation ?? object.metadata.resourceVersion,
  ]);
  const of = JSON.stringify([hash, seen.sort()]);
  if (known?.of === of) return known;
  const changes = unwanted(owned, complete, { live, plan }).map((object) => changeOf({ live: object, result: undefined }, sockets));
  const growth = growthOf(complete, owned, claims);
  changes.push(...growthChanges(growth));
  for (const object of growth.objects) {
    const preview = await applier.preview(object);
    if (preview) changes.push(changeOf(preview, sockets));
  }
  const noticed = changes.filter((change) => change !== undefined);
  return { of, pending: noticed.length > 0 ? { hash, changes: noticed } : undefined };
}
