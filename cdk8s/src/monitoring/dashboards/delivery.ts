// The way of a message: sockets, writer, fan-out, canary.
import type { Dashboard } from '../dashboard.ts';
import { canaryQueries, chatQueries } from '../queries.ts';
import { dashboardScope as scope } from '../scope.ts';

const chat = chatQueries(scope);
const canary = canaryQueries(scope);

export const delivery: Dashboard = {
  name: 'delivery',
  title: 'Parley / Chat delivery',
  description: 'From a frame of a client to the sockets of the others: the writer, the fan-out, and what the canary finds.',
  ofCluster: true,
  rows: [
    {
      title: 'Canary',
      panels: [
        { title: 'Broken promises', type: 'stat', thresholds: [1, 1], queries: [{ expr: canary.brokenInRange, legend: '{{kind}}' }] },
        { title: 'Sockets of the canary', type: 'stat', queries: [{ expr: canary.sockets, legend: 'sockets' }] },
        { title: 'Acked', type: 'stat', unit: 'ops', queries: [{ expr: canary.acked, legend: 'acked' }] },
        {
          ...{ title: 'From sending to arrival', unit: 's', width: 12 },
          queries: [0.5, 0.95, 0.99].map((quantile) => ({ expr: canary.seconds(quantile), legend: `p${quantile * 100}` })),
        },
      ],
    },
    {
      title: 'Writer',
      panels: [
        {
          ...{ title: 'Time of a transaction', unit: 's' },
          queries: [0.5, 0.95, 0.99].map((quantile) => ({ expr: chat.commitSeconds(quantile), legend: `p${quantile * 100}` })),
        },
        { title: 'Messages in a transaction', queries: [{ expr: chat.commitMessages, legend: 'mean' }] },
        { title: 'Messages that wait', queries: [{ expr: chat.queued, legend: '{{instance}}' }] },
        {
          ...{ title: 'How full the queue is', unit: 'percentunit', thresholds: [0.5, 0.7] },
          queries: [{ expr: chat.queueShare, legend: '{{instance}}' }],
        },
        { title: 'Transactions that failed', unit: 'ops', queries: [{ expr: chat.commitFailures, legend: '{{service}} {{failure}}' }] },
      ],
    },
    {
      title: 'Fan-out',
      panels: [
        { title: 'Redis is connected', unit: 'bool', queries: [{ expr: chat.redisConnected, legend: '{{instance}}' }] },
        {
          ...{ title: 'Entries repaired from the database', unit: 'ops' },
          description: 'They did not arrive by Redis. Some after a reconnect are ordinary.',
          queries: [{ expr: chat.repaired, legend: '{{instance}}' }],
        },
        { title: 'Presence events', unit: 'ops', queries: [{ expr: chat.presenceEvents, legend: '{{outcome}}' }] },
      ],
    },
    {
      title: 'Sockets',
      panels: [
        {
          ...{ title: 'Share of the sockets that a replica may have', unit: 'percentunit', thresholds: [0.7, 0.85] },
          queries: [{ expr: chat.socketsShare, legend: '{{instance}}' }],
        },
        { title: 'Closed', unit: 'ops', queries: [{ expr: chat.closed, legend: '{{code}}' }] },
        { title: 'Slow readers', queries: [{ expr: chat.slow, legend: '{{instance}}' }] },
        { title: 'Ephemeral frames left out', unit: 'ops', queries: [{ expr: chat.skipped, legend: '{{instance}}' }] },
        { title: 'Slow readers closed in ten minutes', queries: [{ expr: chat.slowClosed, legend: '{{chatcluster}}' }] },
        {
          ...{ title: 'Drains: seconds until the rest is closed', unit: 's' },
          queries: [{ expr: `${chat.drainLeft} > -60`, legend: '{{instance}}' }],
        },
      ],
    },
  ],
};
