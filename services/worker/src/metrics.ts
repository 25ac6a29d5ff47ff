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
    produced: new Counter({ name: 'kafka_messages_produced_total', help: 'Records sent to Kafka', labelNames: ['topic'], registers }),
    deadLetters: new Counter({
      name: 'parley_outbox_dead_letters_total',
      help: 'Events that Kafka refused for good or that could not be read',
      labelNames: ['topic'],
      registers,
    }),
  };
}
export type WorkerMetrics = ReturnType<typeof workerMetrics>;
