// The entry: connections, backends, answers, certificate.
import type { Dashboard } from '../dashboard.ts';
import { haproxyQueries } from '../queries.ts';
import { dashboardScope as scope } from '../scope.ts';

const haproxy = haproxyQueries(scope);

export const haproxyDashboard: Dashboard = {
  name: 'haproxy',
  title: 'Parley / HAProxy',
  description: 'What comes in and which servers it goes to.',
  ofCluster: true,
  rows: [
    {
      title: 'Connections',
      panels: [
        { title: 'Open', queries: [{ expr: haproxy.sessions, legend: '{{proxy}}' }] },
        { title: 'New', unit: 'ops', queries: [{ expr: haproxy.newSessions, legend: '{{proxy}}' }] },
        {
          ...{ title: 'Share of the limit', unit: 'percentunit', thresholds: [0.7, 0.85] },
          queries: [{ expr: haproxy.sessionShare, legend: '{{instance}} {{proxy}}' }],
        },
        {
          ...{ title: 'Bytes', unit: 'Bps' },
          queries: [
            { expr: haproxy.bytesIn, legend: '{{proxy}} in' },
            { expr: haproxy.bytesOut, legend: '{{proxy}} out' },
          ],
        },
        { title: 'Sockets by server', queries: [{ expr: haproxy.serverSessions, legend: '{{server}}' }] },
        { title: 'Requests that wait for a server', queries: [{ expr: haproxy.queue, legend: '{{proxy}}' }] },
      ],
    },
    {
      title: 'Backends',
      panels: [
        { title: 'Servers in use', queries: [{ expr: haproxy.servers, legend: '{{proxy}}' }] },
        { title: 'Requests', unit: 'reqps', queries: [{ expr: haproxy.requests, legend: '{{proxy}}' }] },
        { title: 'Answers', unit: 'reqps', queries: [{ expr: haproxy.responses, legend: '{{proxy}} {{code}}' }] },
        { title: 'Share of 5xx', unit: 'percentunit', queries: [{ expr: haproxy.errorShare, legend: '{{proxy}}' }] },
        { title: 'Connections that failed', unit: 'ops', queries: [{ expr: haproxy.connectErrors, legend: '{{proxy}}' }] },
      ],
    },
    {
      title: 'Certificate',
      panels: [
        {
          ...{ title: 'Time left', type: 'stat', unit: 's', width: 8 },
          queries: [{ expr: haproxy.certificateSeconds, legend: '{{chatcluster}}' }],
        },
        { title: 'New ones that were refused', queries: [{ expr: haproxy.certificateFailures, legend: '{{chatcluster}}' }] },
      ],
    },
  ],
};
