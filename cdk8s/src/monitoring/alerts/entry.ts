// Alerts of HAProxy and the certificate that it shows.
import { haproxyQueries } from '../queries.ts';
import type { Scope } from '../scope.ts';
import { WHO, type Alert } from './alert.ts';

const page = 'entry';
const DAY = 86_400;

export function entryAlerts(scope: Scope): Alert[] {
  const haproxy = haproxyQueries(scope);
  return [
    {
      ...{ name: 'ParleyBackendWithoutServers', severity: 'critical', for: '1m', page },
      expr: `${haproxy.servers} == 0`,
      summary: `HAProxy of ${WHO} has no server for {{ $labels.proxy }}`,
      description: 'Every request for this backend is answered with 503.',
    },
    {
      ...{ name: 'ParleyEntryNearLimit', severity: 'warning', for: '5m', page },
      expr: `${haproxy.sessionShare} > 0.85`,
      summary: `A HAProxy of ${WHO} has {{ $value | humanizePercentage }} of its connections in use ({{ $labels.proxy }})`,
      description: 'At the limit (ingress.maxConnections) new connections wait in the kernel and time out.',
    },
    {
      ...{ name: 'ParleyEntryErrors', severity: 'warning', for: '5m', page },
      expr: `${haproxy.errorShare} > 0.05 and ${haproxy.errors} > 0.2`,
      summary: `{{ $value | humanizePercentage }} of the answers of {{ $labels.proxy }} of ${WHO} are 5xx`,
      description: 'More than one of twenty requests fails on the side of the servers.',
    },
    {
      ...{ name: 'ParleyCertificateExpiresSoon', severity: 'warning', for: '10m', page },
      expr: `${haproxy.certificateSeconds} < ${14 * DAY}`,
      summary: `The certificate of ${WHO} ends in {{ $value | humanizeDuration }}`,
      description: 'Nobody has renewed the Secret of ingress.tls, or HAProxy has not taken the new certificate over.',
    },
    {
      ...{ name: 'ParleyCertificateExpires', severity: 'critical', for: '10m', page },
      expr: `${haproxy.certificateSeconds} < ${3 * DAY}`,
      summary: `The certificate of ${WHO} ends in {{ $value | humanizeDuration }}`,
      description: 'After that no client connects any more.',
    },
    {
      ...{ name: 'ParleyCertificateRefused', severity: 'warning', for: '10m', page },
      expr: `${haproxy.certificateFailures} > 0`,
      summary: `HAProxy of ${WHO} does not take the new certificate`,
      description: 'The files of the Secret cannot be used; HAProxy goes on with the certificate it has until that ends.',
    },
  ];
}
