// How the services reach what they need: URLs from Secrets as files, public keys, brokers. The same variables as in local mode.
import type { k8s } from 'cdk8s-plus-27';
import { secretVolume } from './constructs/pod.ts';
import { nameOf } from './names.ts';
import { fqdnOf, ports, type Plan } from './plan.ts';

const SECRETS_FOLDER = '/run/secrets/parley';

/** A file of a Secret, and the variables that lead to it. */
export interface Connection {
  env: k8s.EnvVar[];
  volume: k8s.Volume;
  mount: k8s.VolumeMount;
}

/** Mounts one key of a Secret and names its file in `<variable>_FILE`. */
export function secretFile(variable: string, secretName: string, key: string): Connection {
  const volumeName = variable.toLowerCase().replaceAll('_', '-');
  return {
    env: [{ name: `${variable}_FILE`, value: `${SECRETS_FOLDER}/${volumeName}/${key}` }],
    volume: secretVolume(volumeName, secretName, { [key]: key }),
    mount: { name: volumeName, mountPath: `${SECRETS_FOLDER}/${volumeName}`, readOnly: true },
  };
}

function urlSecret(plan: Plan, server: 'mysql' | 'postgres' | 'redis'): { name: string; key: string } {
  return plan.spec[server].external?.urlSecretRef ?? { name: nameOf(plan.cluster, server), key: 'url' };
}

export const mysqlUrl = (plan: Plan, variable = 'DATABASE_URL'): Connection => fromRef(variable, urlSecret(plan, 'mysql'));
export const postgresUrl = (plan: Plan, variable: string): Connection => fromRef(variable, urlSecret(plan, 'postgres'));
export const redisUrl = (plan: Plan): Connection => fromRef('REDIS_URL', urlSecret(plan, 'redis'));
const fromRef = (variable: string, ref: { name: string; key: string }) => secretFile(variable, ref.name, ref.key);

export const authUrl = (plan: Plan): string => `http://${fqdnOf(plan, 'auth')}:${ports.auth}`;
export const tokenEnv = (plan: Plan): k8s.EnvVar[] => [
  { name: 'JWKS_URL', value: `${authUrl(plan)}/.well-known/jwks.json` },
  { name: 'JWT_ISSUER', value: 'parley' },
  { name: 'JWT_AUDIENCE', value: 'parley' },
];

/** The list of trusted issuers, and a file for each shared secret. Without issuers there is nothing. */
export function issuers(plan: Plan): { env: k8s.EnvVar[]; connections: Connection[] } {
  const connections: Connection[] = [];
  const list = plan.spec.auth.issuers.map(({ hs256SecretRef, ...issuer }, index) => {
    if (!hs256SecretRef) return issuer;
    const file = secretFile(`ISSUER_${index}`, hs256SecretRef.name, hs256SecretRef.key);
    connections.push({ ...file, env: [] });
    return { ...issuer, hs256SecretFile: file.env[0]?.value };
  });
  return { env: list.length > 0 ? [{ name: 'TRUSTED_ISSUERS', value: JSON.stringify(list) }] : [], connections };
}

/** The collector of traces, for every service. Without one there is nothing. */
export function tracing({ spec }: Plan): { env: k8s.EnvVar[]; connections: Connection[] } {
  const { tracing: collector } = spec.monitoring;
  if (!collector) return { env: [], connections: [] };
  const { endpoint, samplePercent, headersSecretRef: headers } = collector;
  return {
    env: [
      { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: endpoint },
      { name: 'OTEL_TRACES_SAMPLER_ARG', value: String(samplePercent / 100) },
    ],
    connections: headers ? [secretFile('OTEL_EXPORTER_OTLP_HEADERS', headers.name, headers.key)] : [],
  };
}

/** Complete names of the pods that hold a Redis and a Sentinel. */
export const sentinelHosts = (plan: Plan): string[] =>
  Array.from({ length: plan.spec.redis.replicas }, (_, index) => `${nameOf(plan.cluster, 'redis')}-${index}.${fqdnOf(plan, 'redis')}`);

export const kafkaPod = (plan: Plan, index: number): string => `${nameOf(plan.cluster, 'kafka')}-${index}.${fqdnOf(plan, 'kafka')}`;

/** host:port of the brokers; empty when there is no Kafka, and events wait in the outbox. */
export function kafkaBrokers(plan: Plan): string[] {
  const { mode, brokers, external } = plan.spec.kafka;
  if (mode === 'external') return external?.bootstrapServers ?? [];
  if (mode === 'none') return [];
  // The Service that Strimzi makes for clients.
  if (mode === 'strimzi') return [`${fqdnOf(plan, 'kafka-kafka-bootstrap')}:${ports.kafka}`];
  return Array.from({ length: brokers }, (_, index) => `${kafkaPod(plan, index)}:${ports.kafka}`);
}

/** TLS and the login of an external Kafka. Without them there is nothing. */
export function kafkaAccess({ spec }: Plan): { env: k8s.EnvVar[]; connections: Connection[] } {
  const { tls, authSecretRef: login } = spec.kafka.external ?? {};
  const ca = tls?.caSecretRef;
  return {
    env: [
      ...(tls ? [{ name: 'KAFKA_TLS', value: 'true' }] : []),
      ...(login ? [{ name: 'KAFKA_SASL_MECHANISM', value: login.mechanism }] : []),
    ],
    connections: [
      ...(ca ? [secretFile('KAFKA_CA', ca.name, ca.key)] : []),
      ...(login ? [secretFile('KAFKA_USER', login.name, 'user'), secretFile('KAFKA_PASSWORD', login.name, 'password')] : []),
    ],
  };
}
