// Objects of prometheus-operator and Grafana, for one ChatCluster, for all of a namespace, and for the operator.
import { MANAGED_BY, OPERATOR } from '../names.ts';
import { grafanaDashboard } from './dashboard.ts';
import { operatorDashboard } from './dashboards/operator.ts';
import { clusterRules, operatorRules } from './rules.ts';
import { everyCluster } from './scope.ts';

export const MONITORING_API = 'monitoring.coreos.com/v1';

const podLabel = (name: string): string => `__meta_kubernetes_pod_label_app_kubernetes_io_${name}`;

/** The labels that every query goes by. `honorLabels`: the services say who they are, and the operator of whom it speaks. */
const endpoint = (port: string) => ({
  port,
  path: '/metrics',
  // A drain that is about to end is seen for about twelve seconds.
  interval: '10s',
  scrapeTimeout: '5s',
  honorLabels: true,
  relabelings: [
    { sourceLabels: [podLabel('instance')], targetLabel: 'chatcluster' },
    { sourceLabels: [podLabel('component')], targetLabel: 'component' },
  ],
});

/** Every part has its metrics at the port `admin`; HAProxy at `stats`. */
export const podMonitorSpec = (matchLabels: Record<string, string>) => ({
  selector: { matchLabels },
  podMetricsEndpoints: [endpoint('admin'), endpoint('stats')],
});

/** What Grafana's sidecar looks for, and the folder it puts the dashboard in. */
export const dashboardMetadata = () => ({ labels: { grafana_dashboard: '1' }, annotations: { grafana_folder: 'Parley' } });

/** By hand, for every ChatCluster of the namespace they are applied in: with spec.monitoring.podMonitor and prometheusRule never. */
export function clusterMonitoring(): object[] {
  const metadata = { name: 'parley', labels: { 'app.kubernetes.io/name': 'parley' } };
  return [
    {
      ...{ apiVersion: MONITORING_API, kind: 'PodMonitor', metadata },
      spec: podMonitorSpec({ 'app.kubernetes.io/name': 'parley', 'app.kubernetes.io/managed-by': MANAGED_BY }),
    },
    { apiVersion: MONITORING_API, kind: 'PrometheusRule', metadata, spec: { groups: clusterRules(everyCluster) } },
  ];
}

/** The operator makes nothing for itself: this is applied in its namespace. */
export function operatorMonitoring(): object[] {
  const labels = { 'app.kubernetes.io/name': OPERATOR };
  const metadata = { name: OPERATOR, labels };
  const { relabelings: _ofCluster, ...admin } = endpoint('admin');
  const more = dashboardMetadata();
  return [
    {
      ...{ apiVersion: MONITORING_API, kind: 'PodMonitor', metadata },
      spec: { selector: { matchLabels: labels }, podMetricsEndpoints: [admin] },
    },
    { apiVersion: MONITORING_API, kind: 'PrometheusRule', metadata, spec: { groups: operatorRules() } },
    {
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      metadata: { name: `${OPERATOR}-dashboard`, labels: { ...labels, ...more.labels }, annotations: more.annotations },
      data: { 'parley-operator.json': JSON.stringify(grafanaDashboard(operatorDashboard)) },
    },
  ];
}
