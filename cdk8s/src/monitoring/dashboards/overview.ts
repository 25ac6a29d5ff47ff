// Is all well, and how much is there to do?
import type { Dashboard } from '../dashboard.ts';
import { canaryQueries, chatQueries, eventQueries, haproxyQueries, serviceQueries } from '../queries.ts';
import { dashboardScope as scope } from '../scope.ts';

const chat = chatQueries(scope);
const canary = canaryQueries(scope);
const services = serviceQueries(scope);
const events = eventQueries(scope);
const haproxy = haproxyQueries(scope);

export const overview: Dashboard = {
  name: 'overview',
  title: 'Parley / Overview',
  description: 'Sockets, messages, delivery, REST and events of ChatClusters.',
  ofCluster: true,
  rows: [
    {
      title: 'Now',
      panels: [
        { title: 'Sockets', type: 'stat', queries: [{ expr: chat.socketsInAll, legend: 'sockets' }] },
        { title: 'Users online', type: 'stat', queries: [{ expr: chat.users, legend: 'users' }] },
        { title: 'Active rooms', type: 'stat', queries: [{ expr: chat.rooms, legend: 'rooms' }] },
        { title: 'Messages', type: 'stat', unit: 'reqps', queries: [{ expr: chat.messagesInAll, legend: 'messages' }] },
        {
          ...{ title: 'Delivery, 99 of 100', type: 'stat', unit: 's', thresholds: [0.25, 1] },
          description: 'From sending to arrival, measured by the canary.',
          queries: [{ expr: canary.seconds(0.99), legend: 'p99' }],
        },
        {
          ...{ title: 'Broken promises', type: 'stat', thresholds: [1, 1] },
          description: 'Lost, doubled or out of order, in the time that is shown.',
          queries: [{ expr: canary.brokenInRange, legend: '{{kind}}' }],
        },
        {
          ...{ title: 'Alerts', type: 'table', width: 24 },
          queries: [{ expr: `ALERTS{${scope.cluster},alertname=~"Parley.+",alertstate="firing"}`, legend: '{{alertname}}' }],
        },
      ],
    },
    {
      title: 'Chat',
      panels: [
        { title: 'Sockets of each replica', queries: [{ expr: chat.sockets, legend: '{{instance}}' }] },
        {
          ...{ title: 'Frames', unit: 'ops' },
          queries: [
            { expr: chat.framesReceived, legend: 'received' },
            { expr: chat.framesSent, legend: 'sent' },
          ],
        },
        { title: 'Messages by the service that took them', unit: 'ops', queries: [{ expr: chat.messages, legend: '{{service}}' }] },
        { title: 'Error frames', unit: 'ops', queries: [{ expr: chat.errorFrames, legend: '{{code}}' }] },
        { title: 'Refused by rate limits', unit: 'ops', queries: [{ expr: services.refused, legend: '{{service}} {{event}}' }] },
        { title: 'Servers that HAProxy uses', queries: [{ expr: haproxy.servers, legend: '{{proxy}}' }] },
      ],
    },
    {
      title: 'REST',
      panels: [
        { title: 'Requests', unit: 'reqps', queries: [{ expr: services.requests, legend: '{{service}} {{status}}' }] },
        {
          ...{ title: 'Time to answer', unit: 's' },
          queries: [
            { expr: services.requestSeconds(0.95), legend: '{{service}} p95' },
            { expr: services.requestSeconds(0.99), legend: '{{service}} p99' },
            { expr: services.requestSecondsMean, legend: '{{service}} mean' },
          ],
        },
        { title: 'Share of 5xx', unit: 'percentunit', queries: [{ expr: services.serverErrorShare, legend: '{{service}}' }] },
        { title: 'Logins and the like', unit: 'ops', queries: [{ expr: services.logins, legend: '{{action}} {{result}}' }] },
        { title: 'Hits of the user cache', unit: 'percentunit', queries: [{ expr: services.cacheHitShare, legend: '{{cache}}' }] },
      ],
    },
    {
      title: 'Events',
      panels: [
        {
          ...{ title: 'Records', unit: 'ops' },
          queries: [
            { expr: events.produced, legend: 'to {{topic}}' },
            { expr: events.consumed, legend: '{{group}} from {{topic}}' },
          ],
        },
        { title: 'Behind by records', queries: [{ expr: events.lag, legend: '{{group}} {{topic}}' }] },
        { title: 'Kafka answers', unit: 'bool', queries: [{ expr: events.brokerUp, legend: '{{chatcluster}}' }] },
      ],
    },
  ],
};
