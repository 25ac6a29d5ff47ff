// The operator itself, and the conditions and backups of all ChatClusters.
import type { Dashboard } from '../dashboard.ts';
import { clusterQueries, operatorQueries } from '../operator-queries.ts';
import { dashboardScope, everyCluster } from '../scope.ts';

const operator = operatorQueries(dashboardScope);
const clusters = clusterQueries(everyCluster);

export const operatorDashboard: Dashboard = {
  name: 'operator',
  title: 'Parley / Operator',
  description: 'Reconciles, calls of the API server, and what the operator says of its ChatClusters.',
  ofCluster: false,
  rows: [
    {
      title: 'Now',
      panels: [
        { title: 'Leaders', type: 'stat', queries: [{ expr: operator.leaders, legend: 'leaders' }] },
        { title: 'ChatClusters', type: 'stat', queries: [{ expr: operator.clusters, legend: 'clusters' }] },
        { title: 'Waiting', type: 'stat', queries: [{ expr: operator.queue, legend: 'waiting' }] },
        { title: 'Drills', type: 'stat', queries: [{ expr: operator.drills, legend: '{{fault}} {{result}}' }] },
        { title: 'Conditions', type: 'table', width: 24, queries: [{ expr: clusters.conditions, legend: '' }] },
      ],
    },
    {
      title: 'Reconciles',
      panels: [
        { title: 'Reconciles', unit: 'ops', queries: [{ expr: operator.reconciles, legend: '{{result}}' }] },
        {
          ...{ title: 'Time of a reconcile', unit: 's' },
          queries: [0.5, 0.99].map((quantile) => ({ expr: operator.reconcileSeconds(quantile), legend: `p${quantile * 100}` })),
        },
        {
          ...{ title: 'Time in the queue', unit: 's' },
          queries: [0.5, 0.99].map((quantile) => ({ expr: operator.queueSeconds(quantile), legend: `p${quantile * 100}` })),
        },
        { title: 'Calls of the API server', unit: 'reqps', queries: [{ expr: operator.apiCalls, legend: '{{method}} {{status}}' }] },
        { title: 'Objects that needed no write', unit: 'ops', queries: [{ expr: operator.skips, legend: 'skipped' }] },
        { title: 'Watches that started over, in 15 minutes', queries: [{ expr: operator.watchRestarts, legend: '{{kind}}' }] },
        { title: 'Leads', unit: 'bool', queries: [{ expr: operator.leader, legend: '{{instance}}' }] },
        { title: 'Memory', unit: 'bytes', queries: [{ expr: operator.memory, legend: '{{instance}}' }] },
      ],
    },
    {
      title: 'Backups',
      panels: [
        { title: 'Age of the last good one', unit: 's', queries: [{ expr: clusters.backupAge, legend: '{{chatcluster}} {{cronjob}}' }] },
        { title: 'The last one failed', unit: 'bool', queries: [{ expr: clusters.backupFailed, legend: '{{chatcluster}} {{cronjob}}' }] },
      ],
    },
  ],
};
