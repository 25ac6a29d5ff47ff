// Alert rules as a file of Prometheus and as a PrometheusRule of prometheus-operator, from the same list.
import type { Alert } from './alerts/alert.ts';
import { chatAlerts, writerAlerts } from './alerts/chat.ts';
import { clusterAlerts } from './alerts/cluster.ts';
import { deliveryAlerts } from './alerts/delivery.ts';
import { dependencyAlerts } from './alerts/dependencies.ts';
import { entryAlerts } from './alerts/entry.ts';
import { eventAlerts } from './alerts/events.ts';
import { operatorAlerts } from './alerts/operator.ts';
import type { Scope } from './scope.ts';

/** In the repository. Who publishes the pages puts their address in front (spec.monitoring.runbooks). */
export const RUNBOOKS = 'docs/operating/runbooks';

/** A drain that is about to end is seen for about twelve seconds. */
const EVERY = '10s';

export interface RuleGroup {
  name: string;
  interval: string;
  rules: { alert: string; expr: string; for: string; labels: Record<string, string>; annotations: Record<string, string> }[];
}

const group = (name: string, alerts: readonly Alert[], runbooks: string): RuleGroup => ({
  name: `parley-${name}`,
  interval: EVERY,
  rules: alerts.map((alert) => ({
    alert: alert.name,
    expr: alert.expr,
    for: alert.for,
    labels: { severity: alert.severity },
    annotations: {
      summary: alert.summary,
      description: alert.description,
      runbook_url: `${runbooks}/${alert.page}.md#${alert.name.toLowerCase()}`,
    },
  })),
});

/** Of one ChatCluster or of all. */
export const clusterRules = (scope: Scope, runbooks = RUNBOOKS): RuleGroup[] => [
  group('delivery', deliveryAlerts(scope), runbooks),
  group('chat', [...chatAlerts(scope), ...writerAlerts(scope)], runbooks),
  group('entry', entryAlerts(scope), runbooks),
  group('dependencies', dependencyAlerts(scope), runbooks),
  group('events', eventAlerts(scope), runbooks),
  group('cluster', clusterAlerts(scope), runbooks),
];

export const operatorRules = (): RuleGroup[] => [group('operator', operatorAlerts(), RUNBOOKS)];
