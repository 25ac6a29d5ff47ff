// What every user of Kafka in this process is given: where the brokers are, how to log in, and whom to tell whether that worked.
import type { Health, Log } from '@parley/kit/process';
import type { WorkerMetrics } from '../metrics.ts';
import { kafkaSecurity, type KafkaConfig, type KafkaSecurity } from './config.ts';
import { KafkaLeave } from './leave.ts';

export interface KafkaAccess {
  /** host:port of each; empty: there is no Kafka, and events wait in the databases. */
  brokers: readonly string[];
  security: KafkaSecurity;
  leave: KafkaLeave;
  /** Name of this process: part of the client ids that the brokers log. */
  instance: string;
}

interface Needs {
  config: KafkaConfig;
  instance: string;
  health: Health;
  metrics: WorkerMetrics;
  log: Log;
}

/** Throws a ConfigError for settings that do not fit together. Connects to nothing. */
export function kafkaAccess({ config, instance, health, metrics, log }: Needs): KafkaAccess {
  const security = kafkaSecurity(config);
  return { brokers: config.kafkaBrokers, security, leave: new KafkaLeave({ health, log, refused: metrics.kafkaRefused }), instance };
}
