// What the leader tells Prometheus about each ChatCluster: its conditions, and its backups.
import { Gauge, type Registry } from 'prom-client';
import type { BackupRun } from '../watch/backup-runs.ts';
import type { KubeObject } from '../kube/transport.ts';

export interface ClusterFacts {
  /** the ChatCluster */
  live: KubeObject;
  backups: readonly BackupRun[];
}

interface Conditions {
  conditions?: { type: string; status: string; reason: string }[];
}

/** `clusters` is asked at each scrape. The labels are those that the metrics of the cluster's own pods have. */
export function registerClusterMetrics(registry: Registry, clusters: () => readonly ClusterFacts[]): void {
  const registers = [registry];
  const of = ({ live: { metadata } }: ClusterFacts) => ({ namespace: metadata.namespace ?? '', chatcluster: metadata.name });
  new Gauge({
    name: 'parley_cluster_condition',
    help: 'Conditions of a ChatCluster: 1 True, 0 False, -1 Unknown',
    labelNames: ['namespace', 'chatcluster', 'type', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const cluster of clusters()) {
        const { conditions = [] } = (cluster.live['status'] ?? {}) as Conditions;
        for (const { type, status, reason } of conditions)
          this.set({ ...of(cluster), type, reason }, status === 'True' ? 1 : status === 'False' ? 0 : -1);
      }
    },
  });
  new Gauge({
    name: 'parley_backup_failed',
    help: '1 while the last backup of a database failed',
    labelNames: ['namespace', 'chatcluster', 'cronjob'],
    registers,
    collect() {
      this.reset();
      for (const cluster of clusters())
        for (const { cronJob, failure } of cluster.backups) this.set({ ...of(cluster), cronjob: cronJob }, failure === undefined ? 0 : 1);
    },
  });
  new Gauge({
    name: 'parley_backup_last_success_timestamp_seconds',
    help: 'When a backup of a database last succeeded, as Unix time',
    labelNames: ['namespace', 'chatcluster', 'cronjob'],
    registers,
    collect() {
      this.reset();
      for (const cluster of clusters())
        for (const { cronJob, succeededMs } of cluster.backups)
          if (succeededMs !== undefined) this.set({ ...of(cluster), cronjob: cronJob }, succeededMs / 1000);
    },
  });
}
