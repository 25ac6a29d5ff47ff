// What mode strimzi needs beyond the rights of every install, as objects of its own: who does not use it does not grant it.
import { ApiObject, App, Chart } from 'cdk8s';
import type { KubeObject } from '../desired.ts';
import { OPERATOR } from '../names.ts';
import { operatorDefaults, type OperatorOptions } from './operator.ts';
import type { Rule } from './rules.ts';

const RBAC = 'rbac.authorization.k8s.io';
const NAME = `${OPERATOR}-strimzi`;

/** Its objects are kept, never deleted by the operator: they go with the ChatCluster, by owner reference. */
export const STRIMZI_RULES: readonly Rule[] = [
  { apiGroups: ['kafka.strimzi.io'], resources: ['kafkanodepools', 'kafkas'], verbs: ['create', 'list', 'patch', 'watch'] },
];

/** For the whole cluster, or for one namespace where the operator looks after just that. Pure. */
export function strimziRights(version: string, options: Partial<OperatorOptions> = {}): KubeObject[] {
  const { namespace, watchNamespace } = { ...operatorDefaults(version), ...options };
  const labels = { 'app.kubernetes.io/name': OPERATOR, 'app.kubernetes.io/part-of': 'parley', 'app.kubernetes.io/version': version };
  const chart = new Chart(new App(), 'strimzi', { disableResourceNameHashes: true, labels });
  const kind = watchNamespace ? 'Role' : 'ClusterRole';
  const metadata = { name: NAME, ...(watchNamespace ? { namespace: watchNamespace } : {}) };
  new ApiObject(chart, 'role', { apiVersion: `${RBAC}/v1`, kind, metadata, rules: STRIMZI_RULES.map((rule) => ({ ...rule })) });
  new ApiObject(chart, 'binding', {
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind, name: NAME },
    subjects: [{ kind: 'ServiceAccount', name: OPERATOR, namespace }],
  });
  return chart.toJson() as KubeObject[];
}
