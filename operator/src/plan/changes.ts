// What an apply would change, for people to look at before it happens (changePolicy: Plan). Pure.
import { createHash } from 'node:crypto';
import type { ChatClusterStatus } from '@parley/operator-api';
import type { KubeObject } from '../kube/transport.ts';
import type { Growth } from '../storage/growth.ts';

export type PendingPlan = NonNullable<ChatClusterStatus['plan']>;
type PlannedChange = PendingPlan['changes'][number];

/** Set to the hash of a plan it lets that plan, and no other, be applied. */
export const APPROVE_ANNOTATION = 'chat.parley.dev/approve';

/**
 * Follows every byte that would be there in the end. What is removed follows from it, and must not count by itself: a plan that is half
 * done, because a migration runs in its middle, would need another approval for the rest.
 */
export function planHash(wanted: readonly KubeObject[]): string {
  return createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 12);
}

/** What one object would become. `live` undefined: it is new; `result` undefined: it goes. */
export interface Preview {
  live: KubeObject | undefined;
  result: KubeObject | undefined;
}

/** undefined: nothing that anybody would notice. `sockets`: those that are open now. */
export function changeOf({ live, result }: Preview, sockets: number): PlannedChange | undefined {
  const object = nameOf(live ?? result);
  if (!live || !result) return { object, action: live ? 'delete' : 'create', diff: [], restarts: 0, expectedReconnects: 0 };
  const diff = differences(noticeable(live), noticeable(result));
  if (diff.length === 0) return undefined;
  const restarts = differences(templateOf(live), templateOf(result)).length > 0 ? replicasOf(result) : 0;
  // A socket ends at both of them.
  const holdsSockets = ['chat', 'haproxy'].includes(result.metadata.labels?.['app.kubernetes.io/component'] ?? '');
  return { object, action: 'change', diff: shortened(diff), restarts, expectedReconnects: restarts > 0 && holdsSockets ? sockets : 0 };
}

/** Volumes that become larger: no dry run tells of them, for a claim is patched and a StatefulSet made again. */
export function growthChanges({ raise, renew }: Pick<Growth, 'raise' | 'renew'>): PlannedChange[] {
  const change = (object: string, line: string): PlannedChange => ({
    ...{ object, action: 'change', diff: [line], restarts: 0, expectedReconnects: 0 },
  });
  return [
    ...raise.map(({ claim: { name, requested }, size }) =>
      change(`PersistentVolumeClaim/${name}`, `spec.resources.requests.storage: ${textOf(requested)} -> ${textOf(size)}`),
    ),
    ...renew.map((object) => change(nameOf(object), 'spec.volumeClaimTemplates: made again with the new size, its pods stay')),
  ];
}

const nameOf = (object: KubeObject | undefined): string => (object ? `${object.kind}/${object.metadata.name}` : '');
const templateOf = ({ spec }: KubeObject): unknown => (spec as { template?: unknown } | undefined)?.template;
const replicasOf = ({ spec }: KubeObject): number => (spec as { replicas?: number } | undefined)?.replicas ?? 1;

/** Without what the API server keeps for itself, and our own note of what was applied. */
function noticeable({ metadata, ...rest }: KubeObject): unknown {
  const { labels, annotations = {} } = metadata;
  const kept = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== 'chat.parley.dev/applied-hash'));
  const { status: _status, apiVersion: _apiVersion, kind: _kind, ...content } = rest;
  return { ...content, metadata: { labels, annotations: kept } };
}

/** `spec.replicas: 3 -> 2`, one line for each place. */
export function differences(before: unknown, after: unknown, path = ''): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) =>
      differences(before[index], after[index], `${path}[${keyOf(after[index] ?? before[index], index)}]`),
    ).flat();
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [`${path}: ${textOf(before)} -> ${textOf(after)}`];
}

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);
/** Items with a name are told by it. */
const keyOf = (item: unknown, index: number): string | number =>
  isObject(item) && typeof item['name'] === 'string' ? item['name'] : index;

const VALUE_MAX = 120;
const LINES_MAX = 30;
function textOf(value: unknown): string {
  if (value === undefined) return 'none';
  const text = JSON.stringify(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}
const shortened = (lines: string[]): string[] =>
  lines.length > LINES_MAX ? [...lines.slice(0, LINES_MAX), `… and ${lines.length - LINES_MAX} more`] : lines;

/** The sentence for conditions and events. */
export function planMessage({ hash, changes }: PendingPlan, { cluster, namespace }: { cluster: string; namespace: string }): string {
  const sum = (field: 'restarts' | 'expectedReconnects') => changes.reduce((total, change) => total + change[field], 0);
  return (
    `The plan ${hash} waits for approval: ${changes.length} objects change, ${sum('restarts')} pods restart, about ${sum('expectedReconnects')} sockets reconnect. ` +
    `Look at it: kubectl parley plan ${cluster} -n ${namespace}. Approve it: kubectl -n ${namespace} annotate chatcluster ${cluster} ${APPROVE_ANNOTATION}=${hash} --overwrite`
  );
}
