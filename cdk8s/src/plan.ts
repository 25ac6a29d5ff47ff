// Plan: everything the manifests depend on, derived from the ChatCluster alone.
import { createHash } from 'node:crypto';
import type { ChatClusterSpec } from '@parley/operator-api';
import { nameOf } from './names.ts';

/** What the operator knows that is not in the resource. */
export interface PlanEnvironment {
  /** domain of Services, normally cluster.local */
  clusterDomain: string;
  operatorNamespace: string;
}

/** What a ChatCluster comes to: its resolved spec, its names, and where it runs. Manifests follow from it alone. */
export interface Plan extends PlanEnvironment {
  cluster: string;
  namespace: string;
  spec: ChatClusterSpec;
  servicesImage: string;
  /** name of the Job that migrates the databases to this version */
  migrationJob: string;
}

/** Images of the parts that Parley does not build. */
export const images = {
  haproxy: 'haproxy:3.0',
  redis: 'redis:8.0',
  mysql: 'mysql:9.7',
  mariadb: 'mariadb:11.8',
  postgres: 'postgres:17',
  kafka: 'apache/kafka:4.3.1',
  prometheus: 'prom/prometheus:v2.53.3',
} as const;

/** Container ports of every part. */
export const ports = {
  chat: 8084,
  core: 8082,
  auth: 8081,
  gateway: 8080,
  worker: 8079,
  chatEntry: 8085,
  stats: 8404,
  admin: 9464,
  mysql: 3306,
  postgres: 5432,
  redis: 6379,
  sentinel: 26379,
  kafka: 9092,
  prometheus: 9090,
} as const;

/** A ChatCluster whose spec has every default filled in. */
export interface ResolvedCluster {
  metadata: { name: string; namespace: string };
  spec: ChatClusterSpec;
}

/** Pure: the same resource gives the same plan. */
export function resolve(cluster: ResolvedCluster, environment: PlanEnvironment): Plan {
  const { name, namespace } = cluster.metadata;
  const { spec } = cluster;
  return {
    ...environment,
    cluster: name,
    namespace,
    spec,
    servicesImage: `${spec.images.registry}/services:${spec.version}`,
    migrationJob: nameOf(name, `migrate-${migrationFingerprint(spec)}`),
  };
}

/** Raise it with every change of the Job's template in the code. */
const MIGRATION_TEMPLATE = 2;

/**
 * A Job's template is immutable and its name is a label: so the name follows everything the template is made from, in ten characters
 * whatever the version is called. A Job under a new name only repeats what is safe to repeat.
 */
function migrationFingerprint({ version, images: source, mysql, postgres }: ChatClusterSpec): string {
  const made = JSON.stringify([MIGRATION_TEMPLATE, version, source, mysql.external, postgres.external]);
  return createHash('sha256').update(made).digest('hex').slice(0, 10);
}

/** Redis is three servers, and Sentinels say which of them is the primary. */
export const hasSentinels = ({ spec }: Plan): boolean => spec.redis.mode === 'builtin' && spec.redis.replicas > 1;

/** Databases that are backed up: with spec.backup those of our own. */
export const backedUp = ({ spec }: Plan): ('mysql' | 'postgres')[] =>
  spec.backup ? (['mysql', 'postgres'] as const).filter((server) => spec[server].mode === 'builtin') : [];

/** Complete DNS name of a Service: HAProxy's resolvers know no search domains. */
export const fqdnOf = (plan: Plan, service: string): string =>
  `${nameOf(plan.cluster, service)}.${plan.namespace}.svc.${plan.clusterDomain}`;
