// status.storage, status.managedBy and the condition StorageReady: volumes and what is wrong with them, each with cause and next step. Pure.
import { storedParts, type ChatClusterStatus } from '@parley/operator-api';
import type { Plan } from '@parley/cdk8s';
import { isLess, type Claim } from './claims.ts';
import type { ChatPod } from '../rollout/rollout.ts';
import type { RefusedGrowth } from './growth.ts';

export interface StorageProblem {
  reason: 'ClaimPending' | 'CannotExpand' | 'ResizeFailed' | 'VolumeFull';
  /** cause and next step, without the full stop */
  message: string;
}

export interface StorageView {
  volumes: NonNullable<ChatClusterStatus['storage']>;
  /** the worst first */
  problems: StorageProblem[];
  /** a sentence for each claim that becomes larger */
  growing: string[];
}

export interface StorageSeen {
  plan: Plan;
  claims: readonly Claim[];
  pods: readonly ChatPod[];
  refused: RefusedGrowth;
  /** what Kubernetes says of claims without a volume, by their uid */
  waiting: ReadonlyMap<string, string>;
}

export function managedBy({ spec }: Plan): NonNullable<ChatClusterStatus['managedBy']> {
  return Object.fromEntries(storedParts.map((part) => [part, spec[part].mode]));
}

const VOLUMES_MAX = 20;

export function storageView(seen: StorageSeen): StorageView {
  const { plan, claims, refused, waiting } = seen;
  const problems: StorageProblem[] = [
    ...fullVolumes(seen),
    ...claims.flatMap((claim) => pending(claim, plan, waiting.get(claim.uid))),
    ...claims.flatMap((claim) => notGrown(claim, plan, refused.get(claim.uid))),
  ];
  const volumes = [...claims].sort((one, other) => (one.name < other.name ? -1 : 1)).slice(0, VOLUMES_MAX);
  return {
    volumes: volumes.map((claim) => ({
      claim: claim.name,
      component: claim.component,
      size: claim.capacity ?? claim.requested,
      whenDeleted: whenDeleted(claim, plan),
    })),
    problems,
    growing: claims.flatMap((claim) => growing(claim, plan)),
  };
}

/** The backup's belongs to nobody, and so does one whose part is gone. */
function whenDeleted({ component, ownedBy }: Claim, { spec }: Plan): 'Retain' | 'Delete' {
  const part = storedParts.find((each) => each === component);
  // The controller of StatefulSets notes its intention at the claim; until it has, the spec is all there is.
  return part && (ownedBy !== undefined || spec[part].storage.whenDeleted === 'Delete') ? 'Delete' : 'Retain';
}

const fieldOf = (component: string): string => `spec.${component}.storage`;

function pending({ name, component, bound, terminating, storageClass }: Claim, plan: Plan, said: string | undefined): StorageProblem[] {
  if (bound || terminating || (said === undefined && storageClass !== undefined)) return [];
  const cause =
    storageClass === undefined
      ? 'it names no storage class, and the cluster has no default one'
      : `Kubernetes says: ${said?.replace(/\.$/, '')}`;
  const next =
    storageClass === undefined
      ? `make a class the default (kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true), or name one in ${fieldOf(component)}.class of a new ChatCluster`
      : `look at kubectl get storageclass, then kubectl -n ${plan.namespace} describe pvc ${name}; the class of a volume is fixed (${fieldOf(component)}.class), so make the class ${storageClass === '' ? 'or a volume' : storageClass} work`;
  return [{ reason: 'ClaimPending', message: `The volume claim ${name} of ${component} gets no volume: ${cause}. Next: ${next}` }];
}

function notGrown(claim: Claim, { namespace }: Plan, refused: { size: string; message: string } | undefined): StorageProblem[] {
  const { name, component, storageClass = '', capacity = '', requested, resizeError } = claim;
  if (refused)
    return [
      {
        reason: 'CannotExpand',
        message:
          `The volume of ${name} cannot grow to ${refused.size}, and goes on with ${capacity}: ${refused.message.replace(/\.$/, '')}. ` +
          `Next: let the storage class ${storageClass} expand volumes where its provisioner can (kubectl patch storageclass ${storageClass} -p '{"allowVolumeExpansion":true}'), ` +
          `or set ${fieldOf(component)}.size back to ${capacity}; to have more on another class, create a new ChatCluster and move the data`,
      },
    ];
  if (resizeError === undefined || !isLess(capacity, requested)) return [];
  return [
    {
      reason: 'ResizeFailed',
      message: `The volume of ${name} stays at ${capacity} instead of ${requested}: ${resizeError.replace(/\.$/, '')}. Next: kubectl -n ${namespace} describe pvc ${name}; the storage tries again by itself`,
    },
  ];
}

function growing({ name, bound, capacity = '', requested, resizeError, waitsForPod }: Claim, { cluster, namespace }: Plan): string[] {
  if (!bound || resizeError !== undefined || !isLess(capacity, requested)) return [];
  const pod = name.startsWith('data-') ? name.slice('data-'.length) : `of ${cluster}`;
  const next = waitsForPod
    ? `the file system grows when its pod mounts it; when it stays so: kubectl -n ${namespace} delete pod ${pod}`
    : `when it stays so: kubectl -n ${namespace} describe pvc ${name}`;
  return [`${name} grows from ${capacity} to ${requested}; ${next}`];
}

/** What the servers themselves say: in the last words of a pod that ended, or to a chat replica that writes. */
function fullVolumes({ plan, pods }: StorageSeen): StorageProblem[] {
  const found = new Map<string, string>();
  for (const { component, name, problem, sockets } of pods) {
    if (problem?.reason === 'VolumeFull' && storedParts.some((part) => part === component))
      found.set(component, `${name} says: ${problem.message}`);
    if (sockets?.databaseFull !== undefined && plan.spec.mysql.mode === 'builtin')
      found.set('mysql', `it refuses the messages of ${name}: ${sockets.databaseFull}`);
  }
  return [...found].map(([component, said]) => ({
    reason: 'VolumeFull',
    message: `The volume of ${component} is full: ${said.replace(/\.$/, '')}. Nothing that was acked is lost. Next: raise ${fieldOf(component)}.size, or free space on the volume`,
  }));
}

export interface StorageVerdict {
  status: 'True' | 'False';
  reason: string;
  message: string;
}

export function storageVerdict({ volumes, problems, growing: larger }: StorageView): StorageVerdict {
  const [worst] = problems;
  if (worst) return { status: 'False', reason: worst.reason, message: `${storageTold(problems)}.` };
  if (larger.length > 0) return { status: 'True', reason: 'Growing', message: `${larger.join('. ')}.` };
  return volumes.length === 0
    ? { status: 'True', reason: 'NoVolumes', message: 'There is no volume yet, or every server is external.' }
    : { status: 'True', reason: 'AsPlanned', message: 'Every volume claim has its volume, none is known to be full.' };
}

/** The same cause of several claims is told once each, within what a condition may hold. */
const TOLD_MAX = 3000;
export const storageTold = (problems: readonly StorageProblem[]): string =>
  problems
    .map(({ message }) => message)
    .join('. ')
    .slice(0, TOLD_MAX);
