// Topics are made by the relay, not by the broker on first use: their partitions are part of the order that consumers rely on.
import type { Kafka } from 'kafkajs';
import { topics } from '@parley/protocol';
import { deadLetterTopic } from './topic-names.ts';

/** More partitions later would move keys to other partitions and break their order, so there are a few from the start. */
const PARTITIONS = 6;
const REPLICAS_WANTED = 3;

/** Makes what is missing of `wanted`, with its dead-letter topics; `known` remembers. The known topics of Parley come with the first call. */
export async function ensureTopics(kafka: Kafka, known: Set<string>, wanted: readonly string[]): Promise<void> {
  if (wanted.every((topic) => known.has(topic))) return;
  const names = new Set([...Object.values(topics), ...wanted]);
  for (const name of Object.values(topics)) names.add(deadLetterTopic(name));
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { brokers } = await admin.describeCluster();
    const existing = new Set(await admin.listTopics());
    const missing = [...names].filter((name) => !existing.has(name));
    if (missing.length > 0) {
      const replicationFactor = Math.min(REPLICAS_WANTED, Math.max(1, brokers.length));
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor })),
      });
    }
    for (const name of names) known.add(name);
  } finally {
    await admin.disconnect();
  }
}
