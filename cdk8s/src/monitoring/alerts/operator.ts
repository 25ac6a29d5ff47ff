// Alerts of the operator itself. It belongs to no ChatCluster: clusters go on without it, but nobody mends them.
import { operatorQueries } from '../operator-queries.ts';
import { everyCluster } from '../scope.ts';
import type { Alert } from './alert.ts';

const page = 'operator';

export function operatorAlerts(): Alert[] {
  const operator = operatorQueries(everyCluster);
  return [
    {
      ...{ name: 'ParleyOperatorNoLeader', severity: 'critical', for: '2m', page },
      expr: `${operator.leaders} == 0 or absent(parley_operator_leader)`,
      summary: 'No replica of the operator leads',
      description: 'ChatClusters go on as they are. Nobody replaces what breaks, rolls out a change or follows a certificate of the spec.',
    },
    {
      ...{ name: 'ParleyOperatorReconcilesFail', severity: 'warning', for: '10m', page },
      expr: `${operator.failedShare} > 0.2`,
      summary: '{{ $value | humanizePercentage }} of the reconciles fail',
      description: 'A ChatCluster cannot be brought to what its spec says.',
    },
    {
      ...{ name: 'ParleyOperatorNotReconciling', severity: 'critical', for: '5m', page },
      // Everything is looked at again every ten minutes, also when nothing changes.
      expr: `${operator.clusters} > 0 and on () (${operator.reconcilesIn('15m')} == 0)`,
      summary: 'The operator leads and does not reconcile',
      description: 'There are {{ $value }} ChatClusters, and none was looked at for 15 minutes.',
    },
    {
      ...{ name: 'ParleyOperatorQueueWaits', severity: 'warning', for: '10m', page },
      expr: `${operator.queueSeconds(0.99)} > 5`,
      summary: 'ChatClusters wait {{ $value | humanizeDuration }} for a reconcile',
      description: 'More changes than the operator and the API server keep up with.',
    },
    {
      ...{ name: 'ParleyOperatorWatchRestarts', severity: 'warning', for: '5m', page },
      expr: `${operator.watchRestarts} > 10`,
      summary: 'The watch of {{ $labels.kind }} starts over and over',
      description: '{{ $value | humanize }} times in 15 minutes: changes are seen late.',
    },
  ];
}
