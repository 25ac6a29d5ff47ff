// What the services need, what waits because of it, and what the processes use.
import type { Dashboard } from '../dashboard.ts';
import { eventQueries, serviceQueries } from '../queries.ts';
import { dashboardScope as scope } from '../scope.ts';

const services = serviceQueries(scope);
const events = eventQueries(scope);

export const dependencies: Dashboard = {
  name: 'dependencies',
  title: 'Parley / Dependencies',
  description: 'Databases, Redis, Kafka and the outbox; memory and processor of each process.',
  ofCluster: true,
  rows: [
    {
      title: 'Reached',
      panels: [
        { title: 'Readiness checks', unit: 'bool', queries: [{ expr: services.checks, legend: '{{service}} {{check}}' }] },
        { title: 'Kafka answers', unit: 'bool', queries: [{ expr: events.brokerUp, legend: '{{chatcluster}}' }] },
        {
          ...{ title: 'Rate limits decided without Redis', unit: 'ops' },
          queries: [{ expr: services.decidedAlone, legend: '{{service}}' }],
        },
      ],
    },
    {
      title: 'Outbox',
      panels: [
        { title: 'Age of the oldest event', unit: 's', queries: [{ expr: events.outboxSeconds, legend: '{{database}}' }] },
        { title: 'Events that wait', queries: [{ expr: events.outboxRows, legend: '{{database}}' }] },
        { title: 'Relays', queries: [{ expr: events.relays, legend: '{{database}}' }] },
      ],
    },
    {
      title: 'Consumers, webhooks, notifications',
      panels: [
        { title: 'Behind by records', queries: [{ expr: events.lag, legend: '{{group}} {{topic}}' }] },
        { title: 'Tried again', unit: 'ops', queries: [{ expr: events.retries, legend: '{{group}}' }] },
        { title: 'Consumers replaced', queries: [{ expr: events.restarts, legend: '{{group}}' }] },
        {
          title: 'Dead letters since the start',
          queries: [
            { expr: events.outboxLetters(), legend: 'to {{topic}}' },
            { expr: events.consumerLetters(), legend: '{{group}} {{topic}}' },
          ],
        },
        { title: 'Webhooks that wait', queries: [{ expr: events.webhooksWaiting, legend: '{{chatcluster}}' }] },
        { title: 'Attempts of webhooks', unit: 'ops', queries: [{ expr: events.webhookAttempts, legend: '{{result}}' }] },
        { title: 'Notifications', unit: 'ops', queries: [{ expr: events.notifications, legend: '{{result}}' }] },
        { title: 'Password hashes that wait', queries: [{ expr: services.hashesWaiting, legend: 'waiting' }] },
      ],
    },
    {
      title: 'Processes',
      panels: [
        { title: 'Memory', unit: 'bytes', queries: [{ expr: services.memory, legend: '{{instance}}' }] },
        { title: 'Processor', unit: 'percentunit', queries: [{ expr: services.cpu, legend: '{{instance}}' }] },
        { title: 'Lag of the event loop, 99 of 100', unit: 's', queries: [{ expr: services.eventLoop, legend: '{{instance}}' }] },
      ],
    },
  ],
};
