// Pods that run an older image of the same name than their node has now, and what has to be restarted for them. Pure.
import type { Pod } from './kubectl.ts';
import { fullName, type NodeImages } from './node-images.ts';

export interface Workload {
  namespace: string;
  /** as kubectl takes it: deployment/x, statefulset/x, job/x */
  resource: string;
}

const DIGEST = /sha256:[0-9a-f]{64}/;

/** Finished pods count, too: those of a migration Job are how an older migration is known. */
export function isStale({ metadata, spec, status }: Pod, loaded: NodeImages): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return (status.containerStatuses ?? []).some(({ name, imageID }) => {
    const image = spec.containers.find((container) => container.name === name)?.image;
    const known = image === undefined ? undefined : loaded.get(fullName(image));
    const digest = DIGEST.exec(imageID)?.[0];
    return known !== undefined && digest !== undefined && !known.has(digest);
  });
}

/** Owners of stale pods, each once. Pods of a Deployment belong to `<deployment>-<hash>`. */
export function staleWorkloads(pods: readonly Pod[], loaded: NodeImages): Workload[] {
  const found = new Map<string, Workload>();
  for (const pod of pods.filter((each) => isStale(each, loaded))) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
    const namespace = pod.metadata.namespace ?? 'default';
    if (!owner) continue;
    const resource =
      owner.kind === 'ReplicaSet' ? `deployment/${owner.name.replace(/-[^-]+$/, '')}` : `${owner.kind.toLowerCase()}/${owner.name}`;
    found.set(`${namespace}/${resource}`, { namespace, resource });
  }
  return [...found.values()];
}
