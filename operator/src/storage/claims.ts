// PersistentVolumeClaims of a cluster, as they are seen, and what they have to do with the objects that are wanted. Pure.
import { mebibytes, type Component } from '@parley/cdk8s';
import type { KubeObject } from '../kube/transport.ts';

export interface Claim {
  name: string;
  uid: string;
  component: Component;
  createdMs: number;
  /** has a volume */
  bound: boolean;
  terminating: boolean;
  /** undefined: there is no default StorageClass, and it names none */
  storageClass: string | undefined;
  requested: string;
  /** what the volume has; undefined: there is none yet */
  capacity: string | undefined;
  /** the StatefulSet takes it along */
  ownedBy: string | undefined;
  /** why the volume does not become larger, in the words of Kubernetes */
  resizeError: string | undefined;
  /** its file system grows when a pod mounts it anew */
  waitsForPod: boolean;
}

interface ClaimStatus {
  phase?: string;
  capacity?: { storage?: string };
  conditions?: { type: string; status: string; message?: string }[];
}
interface ClaimSpec {
  storageClassName?: string;
  resources?: { requests?: { storage?: string } };
}

const RESIZE_ERRORS = ['ControllerResizeError', 'NodeResizeError'];

export function claimOf(object: KubeObject): Claim {
  const { name, uid = '', labels = {}, ownerReferences = [], creationTimestamp, deletionTimestamp } = object.metadata;
  const spec = (object['spec'] ?? {}) as ClaimSpec;
  const { phase, capacity, conditions = [] } = (object['status'] ?? {}) as ClaimStatus;
  const holds = (types: readonly string[]) => conditions.find(({ type, status }) => types.includes(type) && status === 'True');
  return {
    ...{ name, uid },
    component: (labels['app.kubernetes.io/component'] ?? '') as Component,
    createdMs: Date.parse(String(creationTimestamp)) || 0,
    bound: phase === 'Bound',
    terminating: deletionTimestamp !== undefined,
    // The empty name means: no class at all, a volume that somebody has made by hand.
    storageClass: spec.storageClassName,
    requested: spec.resources?.requests?.storage ?? '0',
    capacity: capacity?.storage,
    ownedBy: ownerReferences.find(({ kind }) => kind === 'StatefulSet')?.name,
    resizeError: holds(RESIZE_ERRORS)?.message ?? (holds(RESIZE_ERRORS) && 'the storage did not say why'),
    waitsForPod: holds(['FileSystemResizePending']) !== undefined,
  };
}

/** Sizes of others may be written in any form of a quantity. */
export function isLess(one: string, other: string): boolean {
  try {
    return mebibytes(one) < mebibytes(other);
  } catch {
    return false;
  }
}

interface Template {
  metadata: { name: string };
  spec: { resources: { requests: { storage: string } } };
}
/** Without a volume there is none. A StatefulSet of ours has one at most. */
export const templateOf = ({ spec }: KubeObject): Template | undefined =>
  (spec as { volumeClaimTemplates?: Template[] } | undefined)?.volumeClaimTemplates?.[0];

/** The same StatefulSet with another size of its volumes. */
export function withSize(object: KubeObject, storage: string): KubeObject {
  const spec = object['spec'] as { volumeClaimTemplates: Template[] };
  const volumeClaimTemplates = spec.volumeClaimTemplates.map((template) => ({
    ...template,
    spec: { ...template.spec, resources: { requests: { storage } } },
  }));
  return { ...object, spec: { ...spec, volumeClaimTemplates } };
}

/** Which claims belong to an object that is wanted, and how large they shall be. */
export function claimsFor(object: KubeObject, claims: readonly Claim[]): { size: string; claims: Claim[] } | undefined {
  const { name } = object.metadata;
  if (object.kind === 'PersistentVolumeClaim') {
    const { resources } = object['spec'] as Required<ClaimSpec>;
    return { size: resources.requests?.storage ?? '0', claims: claims.filter((claim) => claim.name === name) };
  }
  const template = object.kind === 'StatefulSet' ? templateOf(object) : undefined;
  if (!template) return undefined;
  const prefix = `${template.metadata.name}-${name}-`;
  const ofIt = claims.filter((claim) => claim.name.startsWith(prefix) && /^\d+$/.test(claim.name.slice(prefix.length)));
  return { size: template.spec.resources.requests.storage, claims: ofIt };
}
