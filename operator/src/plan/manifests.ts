// The objects of a plan, with their owner. To make them takes longer than the rest of a reconcile, so those that are known are taken again.
import type { ChatCluster } from '@parley/operator-api';
import { desired, type Facts, type Plan } from '@parley/cdk8s';
import { isKeptVolume } from '../kube/resources.ts';
import type { KubeObject } from '../kube/transport.ts';

export interface Manifests {
  /** plan and facts, as text */
  of: string;
  /** about 0.25 MB */
  objects: readonly KubeObject[];
}

/** Those of `known` that are of this plan and these facts, else new ones. */
export function manifestsOf(
  plan: Plan,
  { facts, cluster, known }: { facts: Facts; cluster: ChatCluster; known: readonly (Manifests | undefined)[] },
): Manifests {
  const of = JSON.stringify([plan, facts]);
  return known.find((each) => each?.of === of) ?? { of, objects: desired(plan, facts).map((object) => withOwner(object, cluster)) };
}

function withOwner(object: KubeObject, { apiVersion, kind, metadata }: ChatCluster): KubeObject {
  if (isKeptVolume(object)) return object;
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
  return { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
}
