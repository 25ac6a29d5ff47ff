// The kafkajs client of this process: its settings in one place, and its log turned into one callback.
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import type { KafkaSecurity } from './config.ts';

export const REQUEST_TIMEOUT_MS = 30_000;

export interface KafkaClientOptions {
  brokers: readonly string[];
  security?: KafkaSecurity | undefined;
  clientId: string;
  /** kafkajs logs every failed attempt and ordinary rebalances as errors; who uses the client decides what is worth a line. */
  onError: (reason: string) => void;
  socketFactory?: KafkaConfig['socketFactory'];
  /** The default of kafkajs, 5, ends within the restart of a broker. */
  retries?: number;
}

export function kafkaClient({ brokers, security, clientId, onError, socketFactory, retries = 20 }: KafkaClientOptions): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ...security,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 2000 },
    connectionTimeout: 3000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    ...(socketFactory ? { socketFactory } : {}),
    logLevel: logLevel.ERROR,
    logCreator:
      () =>
      ({ log }) =>
        onError(typeof log['error'] === 'string' ? `${log.message}: ${log['error']}` : log.message),
  });
}
