// What Prometheus learns of delivery.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type CanaryMetrics = ReturnType<typeof createCanaryMetrics>;

export function createCanaryMetrics(registry: Registry, { sockets }: { sockets: () => number }) {
  new Gauge({
    name: 'parley_canary_sockets',
    help: 'Sockets of the canary that are joined',
    registers: [registry],
    collect() {
      this.set(sockets());
    },
  });
  const broken = new Counter({
    name: 'parley_canary_broken_promises_total',
    help: 'Deliveries that were not as promised: lost, duplicated, misordered',
    labelNames: ['kind'],
    registers: [registry],
  });
  // From the start at zero: the first one must be an increase.
  for (const kind of ['lost', 'duplicated', 'misordered']) broken.inc({ kind }, 0);
  return {
    acked: new Counter({ name: 'parley_canary_acked_total', help: 'Messages of the canary that were acked', registers: [registry] }),
    broken,
    latency: new Histogram({
      name: 'parley_canary_delivery_seconds',
      help: 'From sending to arrival at each socket',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [registry],
    }),
  };
}
