// Volumes that grow: first each claim, then the template of the StatefulSet, which cannot be changed: it is deleted without its pods and
// made again. Decided anew from what is seen each time, so that an operator that dies in between is followed by one that goes on.
import type { Applier } from '../kube/applier.ts';
import { ownedResource, pathOf } from '../kube/resources.ts';
import { MERGE_PATCH, isNotFound, isRefusal, type KubeObject, type KubeTransport } from '../kube/transport.ts';
import { claimsFor, isLess, templateOf, withSize, type Claim } from './claims.ts';
import { identity } from '../kube/removal.ts';

export interface Growth {
  /** what can be applied now: a StatefulSet whose volumes lag behind keeps the size of its template */
  objects: KubeObject[];
  /** claims that are smaller than wanted, and have a volume that could grow */
  raise: { claim: Claim; size: string }[];
  /** StatefulSets to delete without their pods, as they are seen */
  renew: KubeObject[];
}

/** Pure. */
export function growthOf(wanted: readonly KubeObject[], owned: readonly KubeObject[], claims: readonly Claim[]): Growth {
  const growth: Growth = { objects: [], raise: [], renew: [] };
  for (const object of wanted) {
    const found = claimsFor(object, claims);
    const small = (found?.claims ?? []).filter(({ requested, terminating }) => !terminating && isLess(requested, found?.size ?? '0'));
    growth.raise.push(...small.filter(({ bound }) => bound).map((claim) => ({ claim, size: found?.size ?? '0' })));
    const live = object.kind === 'StatefulSet' ? owned.find((one) => identity(one) === identity(object)) : undefined;
    // On its way out: what would be applied to it now is lost with it.
    if (live?.metadata.deletionTimestamp) continue;
    const [is, shall] = [live, object].map((one) => one && templateOf(one)?.spec.resources.requests.storage);
    const differs = is !== undefined && shall !== undefined && (isLess(is, shall) || isLess(shall, is));
    if (differs && live && small.length === 0) growth.renew.push(live);
    else growth.objects.push(differs ? withSize(object, is) : object);
  }
  return growth;
}

/** What the API server said to a growth, by the uid of the claim. It is asked again after a while, or for another size. */
export type RefusedGrowth = Map<string, { size: string; atMs: number; message: string }>;

const ASK_AGAIN_MS = 60_000;

export interface GrowthContext {
  transport: KubeTransport;
  applier: Applier;
  namespace: string;
  refused: RefusedGrowth;
  now: Date;
  /** told of each step, for events */
  onStep: (reason: 'VolumeGrows' | 'StatefulSetRenewed', note: string) => void;
}

/** Takes the next steps. */
export async function grow({ raise, renew }: Growth, context: GrowthContext): Promise<void> {
  const { applier, refused, now, onStep } = context;
  const small = new Set(raise.map(({ claim }) => claim.uid));
  for (const uid of refused.keys()) if (!small.has(uid)) refused.delete(uid);
  for (const { claim, size } of raise) {
    const before = refused.get(claim.uid);
    if (before?.size === size && Math.abs(now.getTime() - before.atMs) < ASK_AGAIN_MS) continue;
    const message = await raiseOne(claim, size, context);
    if (message === undefined) refused.delete(claim.uid);
    else refused.set(claim.uid, { size, atMs: now.getTime(), message });
    if (message === undefined) onStep('VolumeGrows', `Asked for ${size} instead of ${claim.requested} for ${claim.name}`);
  }
  for (const object of renew) {
    await applier.orphan(object);
    onStep('StatefulSetRenewed', `${identity(object)} is made again with the new size of its volumes; its pods stay`);
  }
}

/** undefined: it was taken; else why not. Only the API server knows whether the class can expand, and tells it to whoever may patch. */
async function raiseOne({ name }: Claim, storage: string, { transport, namespace }: GrowthContext): Promise<string | undefined> {
  try {
    await transport.request('PATCH', pathOf(ownedResource('PersistentVolumeClaim'), namespace, name), {
      contentType: MERGE_PATCH,
      body: { spec: { resources: { requests: { storage } } } },
    });
    return undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (isRefusal(error)) return error.message;
    throw error;
  }
}
