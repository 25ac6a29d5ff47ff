// What others read to watch a ChatCluster: PodMonitor and PrometheusRule for prometheus-operator, dashboards for Grafana.
import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { ComponentChart } from '../constructs/workloads.ts';
import { dashboards } from '../monitoring/dashboards/all.ts';
import { grafanaDashboard } from '../monitoring/dashboard.ts';
import { dashboardMetadata, MONITORING_API, podMonitorSpec } from '../monitoring/objects.ts';
import { clusterRules } from '../monitoring/rules.ts';
import { scopeOf } from '../monitoring/scope.ts';
import type { Plan } from '../plan.ts';

/** Kinds that are there only where prometheus-operator is installed. */
export type MonitoringKind = 'PodMonitor' | 'PrometheusRule';

/** Those that the spec asks for: the kind, and the field that does. */
export const monitoringWishes = ({ spec }: Plan): { kind: MonitoringKind; field: string; wish: 'auto' | 'always' | 'never' }[] => [
  { kind: 'PodMonitor', field: 'podMonitor', wish: spec.monitoring.podMonitor },
  { kind: 'PrometheusRule', field: 'prometheusRule', wish: spec.monitoring.prometheusRule },
];

export class MonitoringChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan, served: readonly MonitoringKind[]) {
    super(scope, plan, 'monitoring');
    const { labels, dashboards: wanted, runbooks } = plan.spec.monitoring;
    const wishes = monitoringWishes(plan).filter(({ kind, wish }) => wish !== 'never' && served.includes(kind));
    const specs: Record<MonitoringKind, () => object> = {
      PodMonitor: () => podMonitorSpec(this.#pods),
      PrometheusRule: () => ({ groups: clusterRules(scopeOf(plan), runbooks) }),
    };
    for (const { kind } of wishes)
      new ApiObject(this, kind, {
        ...{ apiVersion: MONITORING_API, kind },
        metadata: { name: plan.cluster, labels: { ...labels, ...this.objectLabels } },
        ...{ spec: specs[kind]() },
      });
    // That of the operator is for all ChatClusters: charts/monitoring/operator.yaml.
    for (const dashboard of wanted ? dashboards.filter(({ ofCluster }) => ofCluster) : []) {
      const { name, labels: own, annotations } = this.metadata(`dashboard-${dashboard.name}`);
      const more = dashboardMetadata();
      new k8s.KubeConfigMap(this, dashboard.name, {
        metadata: { ...(name ? { name } : {}), labels: { ...own, ...more.labels }, annotations: { ...annotations, ...more.annotations } },
        data: { [`${this.name(dashboard.name)}.json`]: JSON.stringify(grafanaDashboard(dashboard, plan)) },
      });
    }
  }

  get #pods(): Record<string, string> {
    return { 'app.kubernetes.io/name': 'parley', 'app.kubernetes.io/instance': this.plan.cluster };
  }
}
