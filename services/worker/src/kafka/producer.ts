// A producer that Kafka takes each record from once, in order. One whose send failed must not be used again: its sequence numbers may be
// behind those of the broker, which would then take different records for copies of the lost ones and drop them silently. A new producer
// gets a new id.
import { Partitioners, type Kafka, type TopicMessages } from 'kafkajs';
import { REQUEST_TIMEOUT_MS } from './client.ts';
import type { SinkRecord } from './ports.ts';
import { ensureTopics } from './topics.ts';

export interface IdempotentProducer {
  /** Resolves when all replicas in sync have the records. After it has rejected once, make another producer. */
  produce(records: readonly SinkRecord[]): Promise<void>;
  /** Never rejects. */
  disconnect(): Promise<void>;
}

/** Resolves when the producer is connected. */
export async function openProducer(kafka: Kafka): Promise<IdempotentProducer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    // The Java client's: every client puts a key into the same partition.
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  const known = new Set<string>();
  await producer.connect();
  return {
    async produce(records) {
      const topicMessages = byTopic(records);
      await ensureTopics(
        kafka,
        known,
        topicMessages.map(({ topic }) => topic),
      );
      await producer.sendBatch({ topicMessages, acks: -1, timeout: REQUEST_TIMEOUT_MS });
    },
    disconnect: () => producer.disconnect().catch(() => undefined),
  };
}

function byTopic(records: readonly SinkRecord[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>();
  for (const { topic, key, value, headers } of records) {
    const message = { key, value, headers };
    const known = topics.get(topic);
    if (known) known.messages.push(message);
    else topics.set(topic, { topic, messages: [message] });
  }
  return [...topics.values()];
}
