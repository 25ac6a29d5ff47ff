// PromQL of the operator: of itself, and of what it tells about ChatClusters.
import { OF, type Scope } from './scope.ts';

/** The operator belongs to no ChatCluster; nobody else has these metrics. */
export function operatorQueries({ window: w }: Pick<Scope, 'window'>) {
  return {
    leaders: 'sum(parley_operator_leader)',
    leader: 'parley_operator_leader',
    reconciles: `sum by (result) (rate(parley_operator_reconciles_total[${w}]))`,
    reconcilesIn: (range: string) => `sum(increase(parley_operator_reconciles_total[${range}]))`,
    failedShare: `sum(rate(parley_operator_reconciles_total{result="error"}[${w}])) / sum(rate(parley_operator_reconciles_total[${w}]))`,
    reconcileSeconds: (quantile: number) =>
      `histogram_quantile(${quantile}, sum by (le) (rate(parley_operator_reconcile_duration_seconds_bucket[${w}])))`,
    queueSeconds: (quantile: number) =>
      `histogram_quantile(${quantile}, sum by (le) (rate(parley_operator_queue_latency_seconds_bucket[${w}])))`,
    queue: 'sum(parley_operator_queue_depth)',
    apiCalls: `sum by (method, status) (rate(parley_operator_api_calls_total[${w}]))`,
    skips: `sum(rate(parley_operator_apply_skips_total[${w}]))`,
    watchRestarts: `sum by (kind) (increase(parley_operator_watch_restarts_total[15m]))`,
    drills: `sum by (fault, result) (increase(parley_operator_drills_total[$__range]))`,
    memory: 'process_resident_memory_bytes{service="operator"}',
    clusters: 'count(parley_cluster_condition{type="Ready"})',
  };
}

/** What the leader tells of a ChatCluster. */
export function clusterQueries({ cluster: c }: Pick<Scope, 'cluster'>) {
  return {
    condition: (type: string) => `max by (${OF}, reason) (parley_cluster_condition{${c},type="${type}"})`,
    conditions: `max by (${OF}, type, reason) (parley_cluster_condition{${c}})`,
    backupFailed: `max by (${OF}, cronjob) (parley_backup_failed{${c}})`,
    backupAge: `time() - max by (${OF}, cronjob) (parley_backup_last_success_timestamp_seconds{${c}})`,
    targets: `up{${c}}`,
  };
}
