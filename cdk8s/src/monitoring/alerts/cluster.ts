// Alerts of a ChatCluster as the operator sees it.
import { clusterQueries } from '../operator-queries.ts';
import type { Scope } from '../scope.ts';
import { WHO, type Alert } from './alert.ts';

const page = 'cluster';
const NEXT = 'Its condition says why: kubectl parley doctor {{ $labels.chatcluster }} -n {{ $labels.namespace }}';

export function clusterAlerts(scope: Scope): Alert[] {
  const cluster = clusterQueries(scope);
  return [
    {
      ...{ name: 'ParleyClusterNotAvailable', severity: 'critical', for: '2m', page },
      expr: `${cluster.condition('Available')} == 0`,
      summary: `A service of ${WHO} has no ready replica ({{ $labels.reason }})`,
      description: NEXT,
    },
    {
      ...{ name: 'ParleyClusterDegraded', severity: 'warning', for: '10m', page },
      expr: `${cluster.condition('Degraded')} == 1`,
      summary: `${WHO} is degraded: {{ $labels.reason }}`,
      description: NEXT,
    },
    {
      ...{ name: 'ParleyBackupFailed', severity: 'critical', for: '0m', page },
      expr: `${cluster.backupFailed} == 1`,
      summary: `The last backup {{ $labels.cronjob }} of ${WHO} failed`,
      description: 'Earlier backups are kept. What was written since then would be lost with the volume of the database.',
    },
    {
      ...{ name: 'ParleyBackupOld', severity: 'warning', for: '10m', page },
      expr: `${cluster.backupAge} > 8 * 86400`,
      summary: `The last good backup {{ $labels.cronjob }} of ${WHO} is {{ $value | humanizeDuration }} old`,
      description: 'No backup has succeeded for more than a week.',
    },
  ];
}
