// Reads the dead letters of a topic, oldest first, from where the last replay ended. The position is kept in Kafka as that of a group,
// so that what was replayed is not replayed again, whoever does it and from wherever.
import { messageOf } from '@parley/kit/process';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { deadLetterTopic } from '../kafka/topic-names.ts';

/** Longer than a request takes: a replay that has its partitions and hears nothing for so long has nothing left. */
const JOIN_TIMEOUT_MS = 30_000;

export interface StoredLetter {
  partition: number;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

export const replayGroupOf = (topic: string): string => `parley-dlq-replay-${topic}`;

export interface ReadOptions {
  kafka: Kafka;
  topic: string;
  max: number;
  /** With true the position moves on behind each letter that was handled; with false nothing is changed. */
  commit: boolean;
  handle: (letter: StoredLetter) => Promise<void>;
}

/** Returns how many letters were handled. Throws when the topic does not exist or a letter cannot be handled. */
export async function readLetters(options: ReadOptions): Promise<number> {
  const { kafka, commit } = options;
  const topic = deadLetterTopic(options.topic);
  const groupId = replayGroupOf(options.topic);
  const left = await unread(kafka, topic, groupId);
  if (left.size === 0) return 0;
  // To look, a group of its own: it begins at the positions of the replay, and leaves them alone.
  const consumer = kafka.consumer({ groupId: commit ? groupId : `${groupId}-look-${process.pid}-${Date.now()}`, maxWaitTimeInMs: 100 });
  let handled = 0;
  const done = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('another replay holds the letters, or Kafka does not answer')), JOIN_TIMEOUT_MS);
    const finish = () => {
      clearTimeout(late);
      resolve();
    };
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      // What another replay has is not waited for.
      const own = new Set(payload.memberAssignment[topic] ?? []);
      for (const partition of left.keys()) if (!own.has(partition)) left.delete(partition);
      if (left.size === 0) finish();
    });
    const take = async (partition: number, message: KafkaMessage): Promise<void> => {
      const range = left.get(partition);
      if (handled >= options.max || !range || BigInt(message.offset) < range.from) return;
      late.refresh();
      await options.handle(toLetter(partition, message));
      handled++;
      const next = BigInt(message.offset) + 1n;
      if (commit) await consumer.commitOffsets([{ topic, partition, offset: next.toString() }]);
      if (next >= range.end) left.delete(partition);
      if (handled >= options.max || left.size === 0) finish();
    };
    consumer
      .connect()
      .then(() => consumer.subscribe({ topics: [topic], fromBeginning: true }))
      .then(() =>
        consumer.run({
          autoCommit: false,
          eachMessage: ({ partition, message }) =>
            take(partition, message).catch((error: unknown) => {
              reject(error instanceof Error ? error : new Error(messageOf(error)));
              // The consumer must not go on to the next letter.
              return new Promise<never>(() => undefined);
            }),
        }),
      )
      .catch(reject);
  });
  try {
    await done;
  } finally {
    // A handler that waits for ever keeps kafkajs from an orderly end; the process ends anyway.
    await Promise.race([consumer.disconnect().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
    if (!commit) await forget(kafka, groupId);
  }
  return handled;
}

async function unread(kafka: Kafka, topic: string, groupId: string): Promise<Map<number, { from: bigint; end: bigint }>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    if (!(await admin.listTopics()).includes(topic)) throw new Error(`there is no topic ${topic}`);
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const positions = new Map(committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
    const ranges = (await admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => {
      const position = positions.get(partition) ?? -1n;
      return [partition, { from: position > BigInt(low) ? position : BigInt(low), end: BigInt(high) }] as const;
    });
    return new Map(ranges.filter(([, { from, end }]) => from < end));
  } finally {
    await admin.disconnect();
  }
}

/** Groups of those who only looked are not left behind. */
async function forget(kafka: Kafka, prefix: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { groups } = await admin.listGroups();
    const looks = groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(`${prefix}-look-${process.pid}-`));
    if (looks.length > 0) await admin.deleteGroups(looks);
  } catch {
    // It holds nothing and runs out by itself.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function toLetter(partition: number, { key, value, offset, headers = {} }: KafkaMessage): StoredLetter {
  const text = Object.entries(headers).flatMap(([name, content]) => (content === undefined ? [] : [[name, String(content)] as const]));
  return { partition, offset, key, value, headers: Object.fromEntries(text) };
}
