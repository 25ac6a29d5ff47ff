// What Prometheus learns of the certificate.
import { Counter, Gauge, type Registry } from 'prom-client';

export function createCertificateMetrics(registry: Registry) {
  return {
    expires: new Gauge({
      name: 'parley_tls_certificate_expiry_timestamp_seconds',
      help: 'When the certificate that HAProxy shows ends, as Unix time',
      registers: [registry],
    }),
    looks: new Counter({
      name: 'parley_tls_certificate_looks_total',
      help: 'Comparisons of the files with what HAProxy shows: same, updated, failed',
      labelNames: ['result'],
      registers: [registry],
    }),
  };
}
