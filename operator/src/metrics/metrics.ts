// Metrics of the operator itself.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { registerClusterMetrics, type ClusterFacts } from './cluster-metrics.ts';

export interface OperatorMetrics {
  registry: Registry;
  reconciles: Counter<'result'>;
  reconcileSeconds: Histogram;
  queueSeconds: Histogram;
  watchRestarts: Counter<'kind'>;
  apiCalls: Counter<'method' | 'status'>;
  applySkips: Counter;
  drills: Counter<'fault' | 'result'>;
  leader: Gauge;
}

export function createOperatorMetrics(queueDepth: () => number, clusters: () => readonly ClusterFacts[] = () => []): OperatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  registry.setDefaultLabels({ service: 'operator' });
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'parley_operator_queue_depth',
    help: 'Clusters that wait for a reconcile',
    registers,
    collect() {
      this.set(queueDepth());
    },
  });
  registerClusterMetrics(registry, clusters);
  return {
    registry,
    reconciles: new Counter({ name: 'parley_operator_reconciles_total', help: 'Reconciles', labelNames: ['result'], registers }),
    reconcileSeconds: new Histogram({
      name: 'parley_operator_reconcile_duration_seconds',
      help: 'Time of a reconcile',
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    queueSeconds: new Histogram({
      name: 'parley_operator_queue_latency_seconds',
      help: 'Time that a cluster waits for a worker',
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    watchRestarts: new Counter({
      name: 'parley_operator_watch_restarts_total',
      help: 'Watches that started over',
      labelNames: ['kind'],
      registers,
    }),
    apiCalls: new Counter({
      name: 'parley_operator_api_calls_total',
      help: 'Calls of the API server',
      labelNames: ['method', 'status'],
      registers,
    }),
    applySkips: new Counter({ name: 'parley_operator_apply_skips_total', help: 'Objects that needed no write', registers }),
    drills: new Counter({ name: 'parley_operator_drills_total', help: 'Drills that ended', labelNames: ['fault', 'result'], registers }),
    leader: new Gauge({ name: 'parley_operator_leader', help: '1 while this replica is the leader', registers }),
  };
}
