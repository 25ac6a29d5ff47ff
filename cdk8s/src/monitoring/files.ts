// The files below charts/monitoring/: path -> text.
import { stringify } from 'yaml';
import { grafanaDashboard } from './dashboard.ts';
import { dashboards } from './dashboards/all.ts';
import { clusterMonitoring, operatorMonitoring } from './objects.ts';
import { clusterRules, operatorRules } from './rules.ts';
import { everyCluster } from './scope.ts';
import { kindConfig, LOCAL_TARGETS, localConfig } from './scrape.ts';

const CLUSTERS = 'rules/clusters.yml';
const OPERATOR = 'rules/operator.yml';

/** `head` is written above every file that can hold a comment. */
export function monitoringFiles(head: string): [path: string, text: string][] {
  const file = (path: string, about: string, documents: readonly object[]): [string, string] => [
    `monitoring/${path}`,
    `${head}# ${about}\n${documents.map((each) => stringify(each, { aliasDuplicateObjects: false, lineWidth: 0 })).join('---\n')}`,
  ];
  return [
    file(CLUSTERS, 'Alerts of ChatClusters, for rule_files of any Prometheus.', [{ groups: clusterRules(everyCluster) }]),
    file(OPERATOR, 'Alerts of the operator, for rule_files of any Prometheus.', [{ groups: operatorRules() }]),
    file('clusters.yaml', 'For every ChatCluster of a namespace, where the operator shall not make them itself.', clusterMonitoring()),
    file('operator.yaml', 'For the operator: apply it in its namespace.', operatorMonitoring()),
    file('prometheus-kind.yml', 'A Prometheus inside the cluster of `npm run kind`.', [kindConfig([CLUSTERS, OPERATOR])]),
    file('prometheus-local.yml', 'A Prometheus beside `npm start`.', [localConfig(LOCAL_TARGETS, CLUSTERS)]),
    ...dashboards.map((dashboard): [string, string] => [
      `monitoring/dashboards/${dashboard.name}.json`,
      `${JSON.stringify(grafanaDashboard(dashboard), null, 2)}\n`,
    ]),
  ];
}
