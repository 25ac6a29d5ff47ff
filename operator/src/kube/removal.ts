// What a cluster has and no longer wants. Pure.
import { componentsOf, type Plan } from '@parley/cdk8s';
import type { KubeObject } from './transport.ts';

export const identity = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;

/** Ours by owner reference, not wanted, not on its way out, and not of a service that only waits for the migration. */
export function unwanted(
  owned: readonly KubeObject[],
  wanted: readonly KubeObject[],
  { live, plan }: { live: KubeObject; plan: Plan },
): KubeObject[] {
  const names = new Set(wanted.map(identity));
  const waiting = waitingComponents(plan, names);
  return owned.filter((object) => {
    const ours = object.metadata.ownerReferences?.some(({ uid }) => uid === live.metadata.uid);
    const component = object.metadata.labels?.['app.kubernetes.io/component'] ?? '';
    return ours && !names.has(identity(object)) && !object.metadata.deletionTimestamp && !waiting.has(component);
  });
}

/** While a new version migrates, the services of the old one stay as they are: they are planned, but not rendered. */
function waitingComponents(plan: Plan, names: ReadonlySet<string>): ReadonlySet<string> {
  const waiting = componentsOf(plan).filter(({ component, kind, name }) => component !== 'migrate' && !names.has(`${kind}/${name}`));
  return new Set(waiting.map(({ component }) => component));
}
