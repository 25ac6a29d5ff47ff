// The kafkajs client of this process: its settings in one place, and its log turned into one callback.
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';

export const REQUEST_TIMEOUT_MS = 30_000;

export interface KafkaClientOptions {
  brokers: readonly string[];
  clientId: string;
  /** kafkajs logs every failed attempt and ordinary rebalances as errors; who uses the client decides what is worth a line. */
  onError: (reason: string) => void;
  socketFactory?: KafkaConfig['socketFactory'];
}

export function kafkaClient({ brokers, clientId, onError, socketFactory }: KafkaClientOptions): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    // The default of 5 tries ends within the restart of a broker.
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 2000 },
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
