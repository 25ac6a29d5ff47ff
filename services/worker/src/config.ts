// Environment of the worker.
import { commonConfig, list, secretUrl } from '@parley/kit';
import { Type, type Static } from '@sinclair/typebox';

// It has no public port.
const { adminHost, adminPort, instanceName, logLevel, startupTimeoutMs, drainTimeoutMs } = commonConfig(0);

export const workerConfig = Type.Object({
  adminHost,
  adminPort,
  instanceName,
  logLevel,
  startupTimeoutMs,
  drainTimeoutMs,
  databaseUrl: secretUrl('chat database, mysql://user:password@host:3306/name', 'mysql'),
  usersDatabaseUrl: secretUrl('user database, postgres://user:password@host:5432/name', 'postgres', 'postgresql'),
  kafkaBrokers: list('host:port of Kafka brokers, comma-separated; empty: events wait in the databases'),
});
export type WorkerConfig = Static<typeof workerConfig>;
