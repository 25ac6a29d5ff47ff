// Whose series a query is about. Each query is written once: the rules of one ChatCluster, the rule file for all of them and the
// dashboards put their own selectors in.
import { hasCanary } from '../charts/canary.ts';
import type { Plan } from '../plan.ts';

export interface Scope {
  /** selectors of the labels `namespace` and `chatcluster` */
  cluster: string;
  /** range of rates */
  window: string;
  /** HAProxy's backends that shall have servers, as a regular expression */
  backends: string;
  /** a canary that is silent for this long is silent */
  canaryMinutes: number;
}

/** Labels that each alert keeps: which ChatCluster it is about. */
export const OF = 'namespace, chatcluster';

export const everyCluster: Scope = { cluster: 'chatcluster!=""', window: '5m', backends: 'chat|core|gateway', canaryMinutes: 5 };

/** With the variables of the dashboards. */
export const dashboardScope: Scope = {
  ...everyCluster,
  cluster: 'namespace=~"$namespace",chatcluster=~"$chatcluster"',
  window: '$__rate_interval',
};

export function scopeOf(plan: Plan): Scope {
  const { spec } = plan;
  const backends = (['chat', 'core', 'gateway'] as const).filter((component) => spec[component].replicas > 0);
  const seconds = hasCanary(plan) ? spec.monitoring.canary.intervalSeconds : 0;
  return {
    ...everyCluster,
    cluster: `namespace="${plan.namespace}",chatcluster="${plan.cluster}"`,
    backends: backends.join('|'),
    canaryMinutes: Math.max(everyCluster.canaryMinutes, Math.ceil((seconds * 3) / 60)),
  };
}
