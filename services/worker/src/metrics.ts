// Metrics of the worker.
import { Counter, Gauge, type Registry } from 'prom-client';

export function workerMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rows: new Gauge({ name: 'parley_outbox_rows', help: 'Events that wait (counted up to 100,000)', labelNames: ['database'], registers }),
    oldest: new Gauge({
      name: 'parley_outbox_oldest_seconds',
      help: 'Age of the oldest waiting event',
      labelNames: ['database'],
      registers,
    }),
    active: new Gauge({
      name: 'parley_outbox_relay_active',
      help: '1 while this process relays the outbox of the database',
      labelNames: ['database'],
      registers,
    }),
    kafkaRefused: new Gauge({
      name: 'parley_kafka_refused',
      help: '1 while Kafka refuses the credentials or the rights of this worker',
      registers,
    }),
    produced: new Counter({ name: 'kafka_messages_produced_total', help: 'Records sent to Kafka', labelNames: ['topic'], registers }),
    deadLetters: new Counter({
      name: 'parley_outbox_dead_letters_total',
      help: 'Events that Kafka refused for good or that could not be read',
      labelNames: ['topic'],
      registers,
    }),
    consumed: new Counter({
      name: 'kafka_messages_consumed_total',
      help: 'Records that a group has done with',
      labelNames: ['group', 'topic'],
      registers,
    }),
    lag: new Gauge({
      name: 'kafka_consumer_lag',
      help: 'Records that a group has not done with yet; every worker measures all partitions, so take the maximum',
      labelNames: ['group', 'topic', 'partition'],
      registers,
    }),
    brokerUp: new Gauge({ name: 'kafka_broker_up', help: '1 while Kafka answers this worker, looked at every five seconds', registers }),
    consumedDeadLetters: new Counter({
      name: 'parley_consumer_dead_letters_total',
      help: 'Records that a group could not handle and set aside',
      labelNames: ['group', 'topic'],
      registers,
    }),
    retries: new Counter({
      name: 'parley_consumer_retries_total',
      help: 'Times that a group tried the same records again',
      labelNames: ['group'],
      registers,
    }),
    restarts: new Counter({
      name: 'parley_consumer_restarts_total',
      help: 'Consumers that ended and were replaced',
      labelNames: ['group'],
      registers,
    }),
    webhookAttempts: new Counter({
      name: 'parley_webhook_attempts_total',
      help: 'Attempts to deliver an event to an endpoint',
      labelNames: ['result'],
      registers,
    }),
    webhooksWaiting: new Gauge({
      name: 'parley_webhook_waiting',
      help: 'Deliveries that wait (counted up to 100,000); the same at every worker',
      registers,
    }),
    notifications: new Counter({
      name: 'parley_notifications_total',
      help: 'Messages looked at for members who are offline, by what became of them',
      labelNames: ['result'],
      registers,
    }),
  };
}
export type WorkerMetrics = ReturnType<typeof workerMetrics>;
