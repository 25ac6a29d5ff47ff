// The objects a ChatCluster shall consist of. Pure: the same plan and facts give the same bytes.
import { App } from 'cdk8s';
import { CanaryChart, hasCanary } from './charts/canary.ts';
import { AuthChart, ChatChart, CoreChart, GatewayChart, serviceComponents, WorkerChart } from './charts/services.ts';
import { BackupChart } from './charts/backup.ts';
import { MysqlChart, PostgresChart } from './charts/databases.ts';
import { HaproxyChart } from './charts/haproxy.ts';
import { KafkaChart } from './charts/kafka.ts';
import { MigrationChart } from './charts/migration.ts';
import { MonitoringChart, type MonitoringKind } from './charts/monitoring.ts';
import { NetworkChart } from './charts/network.ts';
import { PrometheusChart } from './charts/prometheus.ts';
import { RedisChart } from './charts/redis.ts';
import { nameOf, type Component } from './names.ts';
import { StrimziChart } from './charts/strimzi.ts';
import type { Plan } from './plan.ts';

/** A Kubernetes object as it is applied. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

/** What a plan is rendered by beside itself: what exists already and what the cluster can do. */
export interface Facts {
  /** The databases have the schema of this version; before that no service of it may start. */
  migrated: boolean;
  /** A drill has taken this server away for a while: no pod of it. */
  away?: 'mysql' | 'kafka' | undefined;
  /** The API server takes objects of Strimzi from the operator. */
  strimzi?: boolean | undefined;
  /** Kinds of prometheus-operator that the API server knows. */
  served?: readonly MonitoringKind[];
}

/** A part of the cluster whose readiness the status tells. */
export interface PlannedComponent {
  /** A backup comes and goes, and what describes the monitoring is no workload: the cluster is ready without them. */
  component: Exclude<Component, 'backup' | 'monitoring'>;
  kind: 'StatefulSet' | 'Deployment' | 'Job';
  name: string;
  /** true for what the services cannot work without */
  dependency: boolean;
}

/** The parts of a plan whose readiness is told. */
export function componentsOf(plan: Plan): PlannedComponent[] {
  const { spec } = plan;
  const part = (component: PlannedComponent['component'], kind: PlannedComponent['kind'], dependency = false): PlannedComponent => ({
    component,
    kind,
    name: nameOf(plan.cluster, component),
    dependency,
  });
  return [
    ...(spec.mysql.mode === 'builtin' ? [part('mysql', 'StatefulSet', true)] : []),
    ...(spec.postgres.mode === 'builtin' ? [part('postgres', 'StatefulSet', true)] : []),
    ...(spec.redis.mode === 'builtin' ? [part('redis', 'StatefulSet', true)] : []),
    ...(spec.kafka.mode === 'builtin' ? [part('kafka', 'StatefulSet', true)] : []),
    { component: 'migrate', kind: 'Job', name: plan.migrationJob, dependency: false },
    part('auth', 'Deployment'),
    part('core', 'Deployment'),
    part('gateway', 'Deployment'),
    part('worker', 'Deployment'),
    part('chat', 'StatefulSet'),
    part('haproxy', 'Deployment'),
    ...(hasCanary(plan) ? [part('canary', 'Deployment')] : []),
    ...(spec.monitoring.prometheus === 'builtin' ? [part('prometheus', 'Deployment')] : []),
  ];
}

const charts = {
  mysql: MysqlChart,
  postgres: PostgresChart,
  redis: RedisChart,
  kafka: KafkaChart,
  migrate: MigrationChart,
  auth: AuthChart,
  core: CoreChart,
  gateway: GatewayChart,
  worker: WorkerChart,
  chat: ChatChart,
  haproxy: HaproxyChart,
  canary: CanaryChart,
  prometheus: PrometheusChart,
} as const;

/** Throws when a chart cannot be rendered; the caller turns that into the condition Rendered. */
export function desired(plan: Plan, facts: Facts): KubeObject[] {
  const app = new App();
  const components = componentsOf(plan).map(({ component }) => component);
  const objects: KubeObject[] = [];
  const shielded = plan.spec.backup ? [...components, 'backup' as const] : components;
  if (plan.spec.networkPolicy.enabled) objects.push(...(new NetworkChart(app, plan, shielded).toJson() as KubeObject[]));
  if (plan.spec.kafka.mode === 'strimzi' && facts.strimzi) objects.push(...(new StrimziChart(app, plan).toJson() as KubeObject[]));
  for (const component of components) {
    if (!facts.migrated && serviceComponents.includes(component)) continue;
    const made = new charts[component](app, plan).toJson() as KubeObject[];
    objects.push(...(component === facts.away ? made.map(withoutPods) : made));
  }
  objects.push(...(new MonitoringChart(app, plan, facts.served ?? []).toJson() as KubeObject[]));
  // Last: what is refused here, such as a schedule that is none, holds up nothing else.
  if (plan.spec.backup) objects.push(...(new BackupChart(app, plan, plan.spec.backup).toJson() as KubeObject[]));
  return objects;
}

const withoutPods = (object: KubeObject): KubeObject =>
  object.kind === 'StatefulSet' ? { ...object, spec: { ...(object['spec'] as object), replicas: 0 } } : object;
