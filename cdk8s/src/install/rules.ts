// What the operator may do, alphabetical by group and resource. Everything else is refused. A test reads in the
// audit log of a real API server that each of these is used and nothing is refused.
import { DRILL_PLURAL, GROUP, PLURAL } from '@parley/operator-api';

/** One rule of a Role or ClusterRole. */
export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** Objects the operator keeps: it watches them by label, applies (patch; create when absent) and prunes them. */
const KEPT = ['create', 'delete', 'list', 'patch', 'watch'];

/** In the namespaces of the ChatClusters. Secrets are read by name, never listed. */
export const CLUSTER_RULES: readonly Rule[] = [
  { apiGroups: [''], resources: ['configmaps', 'services'], verbs: KEPT },
  // They grow; none is ever removed by a program.
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['create', 'list', 'patch', 'watch'] },
  // Read for what is wrong with them; chat replicas are told to go.
  { apiGroups: [''], resources: ['pods'], verbs: ['delete', 'list', 'watch'] },
  // Patched is one alone, that of the signing keys, when a new key is asked for.
  { apiGroups: [''], resources: ['secrets'], verbs: ['create', 'get', 'patch'] },
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: KEPT },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: KEPT },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: KEPT },
  { apiGroups: ['chat.parley.dev'], resources: ['chatclusters', 'chatdrills'], verbs: ['list', 'watch'] },
  { apiGroups: ['chat.parley.dev'], resources: ['chatclusters/status', 'chatdrills/status'], verbs: ['patch'] },
  // Read for what Kubernetes says of a volume claim that gets no volume.
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'list', 'patch'] },
  // Where prometheus-operator is installed.
  { apiGroups: ['monitoring.coreos.com'], resources: ['podmonitors', 'prometheusrules'], verbs: KEPT },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: KEPT },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: KEPT },
];

/** For all namespaces only, as CRDs are in none: are those of this version installed? */
export const CRD_RULES: readonly Rule[] = [
  {
    apiGroups: ['apiextensions.k8s.io'],
    resources: ['customresourcedefinitions'],
    resourceNames: [`${PLURAL}.${GROUP}`, `${DRILL_PLURAL}.${GROUP}`],
    verbs: ['get'],
  },
];

/** In the operator's own namespace: leader election. */
export const LEASE_RULES: readonly Rule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'get', 'update'] },
];
