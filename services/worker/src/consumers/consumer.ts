// One kafkajs consumer from its start to its end: joins the group, works through what comes, commits by hand. Its end is reported
// and nothing is repaired here: supervisor.ts makes a new one.
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { messageOf } from '@parley/kit/process';
import type { RawRecord } from './ports.ts';

/** Spec 04 §4.6: the default of 30 s would leave the partitions of a dead process alone for as long. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 1000;
/** kafkajs may stand still without a word. An idle consumer fetches several times a second, a busy one sends heartbeats. */
const SILENCE_MAX_MS = 60_000;
const PARTITIONS_AT_ONCE = 3;

export interface ConsumerOptions {
  kafka: Kafka;
  groupId: string;
  topics: readonly string[];
  /** Works through records of one partition. `commit` may be called as often as something is done. */
  work: (records: readonly RawRecord[], partition: PartitionContext) => Promise<void>;
  onJoined: (partitions: number) => void;
}

export interface PartitionContext {
  /** Aborted when the partition may belong to another member of the group, or the consumer ends. */
  signal: AbortSignal;
  commit: (last: RawRecord) => Promise<void>;
}

export interface RunningConsumer {
  /** Resolves with the reason when it does not consume any more; never rejects. */
  ended: Promise<string>;
  /** Waits for the work in flight, which it aborts, and leaves the group. */
  stop(): Promise<void>;
}

export async function startConsumer({ kafka, groupId, topics, work, onJoined }: ConsumerOptions): Promise<RunningConsumer> {
  const stopping = new AbortController();
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => (end = resolve));
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: 100,
    // kafkajs starts some crashed consumers again and leaves others dead. One rule is easier to trust: whoever crashed is replaced.
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 2000, restartOnFailure: () => Promise.resolve(false) },
  });
  const silence = watchSilence(consumer, () => end(`nothing was heard of the brokers for ${SILENCE_MAX_MS / 1000} s`));
  consumer.on(consumer.events.CRASH, ({ payload }) => end(messageOf(payload.error)));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => onJoined(Object.values(payload.memberAssignment).flat().length));
  const stop = async () => {
    stopping.abort(new Error('the consumer ends'));
    clearInterval(silence);
    await consumer.disconnect().catch(() => undefined);
    end('stopped');
  };
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
      eachBatch: (payload) => workBatch(payload, { work, stopping: stopping.signal }),
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ended, stop };
}

/** Keeps the membership alive while the work takes its time; the work ends when the membership does. */
async function workBatch(payload: EachBatchPayload, { work, stopping }: Pick<ConsumerOptions, 'work'> & { stopping: AbortSignal }) {
  const { batch } = payload;
  const { topic, partition } = batch;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, stopping]);
  const beat = setInterval(() => {
    if (!payload.isRunning() || payload.isStale()) over.abort(new Error('the consumer ends'));
    else payload.heartbeat().catch((error: unknown) => over.abort(error));
  }, HEARTBEAT_MS);
  const commit = async ({ offset }: RawRecord): Promise<void> => {
    const next = (BigInt(offset) + 1n).toString();
    await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: next }] }] });
    payload.resolveOffset(offset);
  };
  try {
    await work(
      batch.messages.map((message) => toRecord(topic, partition, message)),
      { signal, commit },
    );
  } catch (error) {
    // An end that was asked for is none to report; what is not committed comes again.
    if (!stopping.aborted && payload.isRunning()) throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    clearInterval(beat);
  }
}

function toRecord(topic: string, partition: number, { key, value, offset, headers = {} }: KafkaMessage): RawRecord {
  const text = Object.entries(headers).flatMap(([name, content]) => (content === undefined ? [] : [[name, String(content)] as const]));
  return { topic, partition, offset, key, value, headers: Object.fromEntries(text) };
}

function watchSilence(consumer: Consumer, onSilence: () => void): NodeJS.Timeout {
  let heardAt = Date.now();
  const heard = () => void (heardAt = Date.now());
  consumer.on(consumer.events.FETCH, heard);
  consumer.on(consumer.events.HEARTBEAT, heard);
  consumer.on(consumer.events.GROUP_JOIN, heard);
  return setInterval(() => Date.now() - heardAt > SILENCE_MAX_MS && onSilence(), HEARTBEAT_MS);
}
