// The rights that charts/install.yaml grants to the operator, against an audit log of its calls (kind/cluster/audit-policy.yaml).
import assert from 'node:assert/strict';
import { CLUSTER_RULES, CRD_RULES, LEASE_RULES, type Rule } from '@parley/cdk8s';

/** As far as it is looked at: audit.k8s.io/v1, level Metadata. */
export interface AuditEvent {
  verb: string;
  requestURI: string;
  stageTimestamp: string;
  objectRef?: { apiGroup?: string; resource: string; subresource?: string };
  responseStatus?: { code: number };
}

export const auditEvents = (log: string): AuditEvent[] =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent);

/** As in a rule: "group resource verb". */
const rightOf = (group: string, resource: string, verb: string): string => `${group || 'core'} ${resource} ${verb}`;
export const rightsIn = (rules: readonly Rule[]): string[] =>
  rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => rightOf(group, resource, verb)))),
  );

export function* usedBy({ verb, objectRef, responseStatus }: AuditEvent): Generator<string> {
  if (!objectRef) return;
  const { apiGroup = '', resource, subresource } = objectRef;
  const name = subresource === undefined ? resource : `${resource}/${subresource}`;
  yield rightOf(apiGroup, name, verb);
  // A server-side apply that makes the object needs both.
  if (verb === 'patch' && responseStatus?.code === 201) yield rightOf(apiGroup, name, 'create');
}

/** No call was refused, each right was used, and nothing else was needed. */
export function assertRightsUsed(calls: readonly AuditEvent[]): void {
  assert.deepEqual(
    calls.filter(({ responseStatus }) => responseStatus?.code === 403),
    [],
    'refused',
  );
  const granted = rightsIn([...CLUSTER_RULES, ...CRD_RULES, ...LEASE_RULES]);
  const used = new Set(calls.flatMap((call) => [...usedBy(call)]));
  assert.deepEqual(
    granted.filter((right) => !used.has(right)),
    [],
    'granted, and not used',
  );
  assert.deepEqual(
    [...used].filter((right) => !granted.includes(right)),
    [],
    'used, and granted by something else',
  );
}
