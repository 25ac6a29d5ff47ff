// What a cluster has and no longer wants. Pure.
import { componentsOf, type Plan } from '@parley/cdk8s';
import type { KubeObject } from './kube/transport.ts';

export const identity = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;

/** Ours by owner reference, not wanted, not on its way out, and not of a service that only waits for the migration. */
export function unwanted(
  owned: readonly KubeObject[],
  wanted: readonly KubeObject[],
  { live, plan }: { live: KubeObject; plan: Plan },
): KubeObject[] {
  const names = new Set(wanted.map(identity));
  return owned.filter((object) => {
    const ours = object.metadata.ownerReferences?.some(({ uid }) => uid === live.metadata.uid);
    return ours && !names.has(identity(object)) && !object.metadata.deletionTimestamp && !isWaiting(object, plan);
  });
}

/** While a new version migrates, the services of the old one stay as they are: they are not rendered, but wanted. */
function isWaiting(object: KubeObject, plan: Plan): boolean {
  const component = object.metadata.labels?.['app.kubernetes.io/component'];
  return componentsOf(plan).some((planned) => planned.component === component && planned.component !== 'migrate');
}
