// What watches the cluster, as the spec takes it.
import { Type } from '@sinclair/typebox';
import { Tracing } from './outside.ts';
import { placement } from './placement.ts';
import { oneOf, pattern, resources, section } from './schema-parts.ts';

const Canary = section(
  {
    enabled: Type.Boolean({
      default: true,
      description: 'An account of its own holds sockets on every chat replica, sends numbered messages and counts what becomes of them',
    }),
    intervalSeconds: Type.Integer({ minimum: 1, maximum: 3600, default: 5, description: 'Time between two messages' }),
    resources: resources({ cpu: '10m', memory: '64Mi', memoryLimit: '192Mi' }),
    ...placement,
  },
  { description: 'Proves delivery all the time: status.delivery, the condition DeliveryHealthy' },
);

/** Not `on` and `off`: YAML as Kubernetes reads it takes those words for booleans, in the CRD as in everybody's manifest. */
const whenServed = (what: string) =>
  oneOf(['auto', 'always', 'never'], {
    default: 'auto',
    description: `${what} of prometheus-operator. auto: where the API server knows the kind; always: say so in the condition Degraded where it does not`,
  });

export const Monitoring = section(
  {
    podMonitor: whenServed('A PodMonitor'),
    prometheusRule: whenServed('A PrometheusRule with the alerts'),
    labels: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 63 }), {
        description: 'More labels of both, for instance `release: prometheus`, where your Prometheus chooses by labels',
      }),
    ),
    dashboards: Type.Boolean({
      default: true,
      description: "A ConfigMap for each dashboard, with the label `grafana_dashboard` that Grafana's sidecar looks for",
    }),
    runbooks: Type.String({
      default: 'docs/operating/runbooks',
      maxLength: 500,
      description: 'Where the runbooks are published; the alerts link to pages below it',
      ...pattern('^[^ ]+$', 'must be an address or a path without spaces'),
    }),
    scrapeNamespaces: Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
      default: [],
      maxItems: 20,
      description:
        'Namespaces whose pods with the label `app.kubernetes.io/name: prometheus` may scrape, past the NetworkPolicies; empty: of every namespace. With podMonitor never nobody may',
    }),
    canary: Canary,
    prometheus: oneOf(['none', 'builtin'], {
      default: 'none',
      description: 'builtin: a small Prometheus that scrapes every part, for trying out',
    }),
    tracing: Type.Optional(Tracing),
  },
  { description: 'What watches the cluster' },
);
