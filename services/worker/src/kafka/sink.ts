// The EventSink on Kafka. A producer whose send failed is never used again: its sequence numbers may be behind those of the broker,
// which would then take different records for copies of the lost ones and drop them silently. A new producer gets a new id.
import net from 'node:net';
import tls from 'node:tls';
import { messageOf, traced } from '@parley/kit';
import { Partitioners, type Kafka, type Producer, type TopicMessages } from 'kafkajs';
import { kafkaClient, REQUEST_TIMEOUT_MS } from './client.ts';
import type { KafkaSecurity } from './config.ts';
import type { Judge } from './leave.ts';
import { RecordsRefused, type EventSink, type SinkRecord } from './ports.ts';
import { ensureTopics } from './topics.ts';

export interface KafkaSinkOptions {
  brokers: readonly string[];
  security?: KafkaSecurity | undefined;
  clientId: string;
  /** Called when Kafka has not answered well for a while, long before a send gives up. */
  onTrouble: (reason: string) => void;
  /** Told how each send ended. */
  judge?: Judge | undefined;
}

interface Session {
  kafka: Kafka;
  producer: Producer;
  topics: Set<string>;
}

/** Answers that no retry changes. */
const REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);
/** Shorter trouble is ordinary: a new leader, the first producer of a fresh broker. */
const TROUBLE_AFTER_MS = 1500;

export function kafkaSink({ brokers, security, clientId, onTrouble, judge }: KafkaSinkOptions): EventSink {
  const fence = createFence();
  let session: Session | undefined;
  let troubleSince: number | undefined;
  // kafkajs logs every failed attempt; the relay needs to know once that there is trouble.
  const onError = (reason: string): void => {
    troubleSince ??= Date.now();
    if (!fence.closed && Date.now() - troubleSince >= TROUBLE_AFTER_MS) onTrouble(reason);
  };

  const openSession = async (): Promise<Session> => {
    const kafka = kafkaClient({ brokers, security, clientId, onError, socketFactory: fence.connect });
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // The Java client's: every client puts a key into the same partition.
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return { kafka, producer, topics: new Set() };
  };

  const send = async (records: readonly SinkRecord[]): Promise<void> => {
    session ??= await openSession();
    const { kafka, producer, topics } = session;
    const topicMessages = byTopic(records);
    await ensureTopics(
      kafka,
      topics,
      topicMessages.map(({ topic }) => topic),
    );
    await producer.sendBatch({ topicMessages, acks: -1, timeout: REQUEST_TIMEOUT_MS });
  };

  const drop = (): void => {
    session?.producer.disconnect().catch(() => undefined);
    session = undefined;
  };

  return {
    async send(records) {
      try {
        // Not even a connection is tried after the fence is closed.
        await (fence.closed
          ? fence.broken
          : traced('publish to Kafka', { records: records.length }, () => Promise.race([send(records), fence.broken]), {
              kind: 'producer',
            }));
        troubleSince = undefined;
        judge?.(undefined);
      } catch (error) {
        drop();
        judge?.(error);
        throw refusalOf(error) ?? error;
      }
    },
    abort(reason) {
      fence.close(reason);
      drop();
    },
    async close() {
      const producer = session?.producer;
      session = undefined;
      await producer?.disconnect().catch(() => undefined);
      fence.close('closed');
    },
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

/** kafkajs wraps the broker's answer, sometimes twice. */
function refusalOf(error: unknown): RecordsRefused | undefined {
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 5; at = (at as { cause?: unknown }).cause, depth++) {
    const { type } = at as { type?: string };
    if (type !== undefined && REFUSALS.has(type)) return new RecordsRefused(`${type}: ${messageOf(at)}`, { cause: error });
  }
  return undefined;
}

/** Brokers behind one address are told apart by the name in the handshake; an address is no name. */
const serverName = (host: string): { servername?: string } => (net.isIP(host) === 0 ? { servername: host } : {});

/** All sockets of one sink, and the way to cut them: a retry inside kafkajs cannot get around it. */
function createFence() {
  const sockets = new Set<net.Socket>();
  let reason: string | undefined;
  let cut: (error: Error) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => (cut = reject));
  // Whoever does not wait for it must not make it an unhandled rejection.
  broken.catch(() => undefined);
  return {
    broken,
    get closed() {
      return reason !== undefined;
    },
    connect: ({
      host,
      port,
      ssl,
      onConnect,
    }: {
      host: string;
      port: number;
      ssl?: tls.ConnectionOptions;
      onConnect: () => void;
    }): net.Socket => {
      if (reason !== undefined) throw new Error(`not sending any more: ${reason}`);
      const socket = ssl ? tls.connect({ host, port, ...serverName(host), ...ssl }, onConnect) : net.connect({ host, port }, onConnect);
      socket.setKeepAlive(true, 60_000);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    close(why: string) {
      if (reason !== undefined) return;
      reason = why;
      for (const socket of sockets) socket.destroy();
      cut(new Error(`sending was stopped: ${why}`));
    },
  };
}
