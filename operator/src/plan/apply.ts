// The step of a reconcile that makes the objects of a cluster what its spec asks for: volumes grow, objects are applied, the rest goes.
import type { Applier } from '../kube/applier.ts';
import type { Recorder } from '../kube/recorder.ts';
import { identity, unwanted } from '../kube/removal.ts';
import { isKeptVolume } from '../kube/resources.ts';
import type { KubeTransport } from '../kube/transport.ts';
import { claimOf } from '../storage/claims.ts';
import { grow, growthOf, type RefusedGrowth } from '../storage/growth.ts';
import type { ClusterSeen } from './read.ts';

export interface ApplyContext {
  transport: KubeTransport;
  applier: Applier;
  recorder: Pick<Recorder, 'record'>;
  now: () => Date;
}

/** `refused`: what the API server said to volumes that should grow. Throws what else it refuses, at the first object. */
export async function applyObjects(
  { live, plan, wanted, owned }: ClusterSeen,
  { refused }: { refused: RefusedGrowth },
  { transport, applier, recorder, now }: ApplyContext,
): Promise<void> {
  const normal = (reason: string, action: string, note: string) => recorder.record(live, { type: 'Normal', reason, action, note });
  const before = owned();
  const growth = growthOf(wanted, before, before.filter(isKeptVolume).map(claimOf));
  await grow(growth, {
    ...{ transport, applier, namespace: plan.namespace, refused, now: now() },
    onStep: (reason, note) => normal(reason, 'Grow', note),
  });
  for (const object of growth.objects) if (await applier.apply(object)) normal('Applied', 'Apply', `Applied ${identity(object)}`);
  for (const object of unwanted(owned(), wanted, { live, plan })) {
    await applier.remove(object);
    normal('Removed', 'Delete', `Removed ${identity(object)}, which the spec no longer asks for`);
  }
}
