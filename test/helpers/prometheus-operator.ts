// The kinds of prometheus-operator as an API server knows them after its CustomResourceDefinitions were applied: names and scope are its
// own, the schemas take anything.
import type { ApiServer } from './apiserver.ts';

const GROUP = 'monitoring.coreos.com';
const KINDS = [
  { kind: 'PodMonitor', plural: 'podmonitors', singular: 'podmonitor' },
  { kind: 'PrometheusRule', plural: 'prometheusrules', singular: 'prometheusrule' },
];
const names = KINDS.map(({ plural }) => `crd/${plural}.${GROUP}`);

export async function installMonitoringKinds(server: Pick<ApiServer, 'kubectl'>): Promise<void> {
  const items = KINDS.map(({ kind, plural, singular }) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      ...{ group: GROUP, scope: 'Namespaced', names: { kind, plural, singular, listKind: `${kind}List` } },
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  }));
  await server.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names]);
}

export const removeMonitoringKinds = (server: Pick<ApiServer, 'kubectl'>): Promise<string> => server.kubectl(['delete', ...names]);
