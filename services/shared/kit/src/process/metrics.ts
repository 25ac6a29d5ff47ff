// Prometheus metrics of one process. Names that other dashboards expect are kept (spec 03 §3.4).
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Health } from './health.ts';

/** The registry of a process and what counts its HTTP requests. */
export interface Metrics {
  registry: Registry;
  httpRequests: Counter<'service' | 'method' | 'route' | 'status'>;
  httpDuration: Histogram<'service' | 'method' | 'route'>;
}

/** What /readyz says, for whoever is told by an alert: a probe's answer is seen by the kubelet and HAProxy alone. */
export function createHealthMetrics(registry: Registry, health: Pick<Health, 'checks' | 'draining'>): void {
  new Gauge({
    name: 'parley_readiness_check',
    help: '1 while the process reaches what it cannot work without, 0 while it does not',
    labelNames: ['check'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [check, fine] of health.checks) this.set({ check }, fine ? 1 : 0);
    },
  });
}

/** Registry with the process's own metrics and those of HTTP. */
export function createMetrics({ service, instance }: { service: string; instance: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service, instance });
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    httpRequests: new Counter({
      name: 'http_requests_total',
      help: 'HTTP requests answered',
      labelNames: ['service', 'method', 'route', 'status'],
      registers: [registry],
    }),
    httpDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer an HTTP request',
      labelNames: ['service', 'method', 'route'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [registry],
    }),
  };
}
