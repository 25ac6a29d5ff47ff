// Keeps one group's consumer of this process alive: makes a new one whenever the last one has ended (kafkajs leaves some of its
// consumers dead after the restart of a broker), with growing pauses while Kafka is away.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, messageOf, Outage, type Log } from '@parley/kit/process';
import { kafkaClient } from '../kafka/client.ts';
import type { KafkaSecurity } from '../kafka/config.ts';
import type { Judge } from '../kafka/leave.ts';
import { kafkaSink } from '../kafka/sink.ts';
import { ensureTopics } from '../kafka/topics.ts';
import { deadLetters } from '../letters/letter-writer.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { startConsumer } from './consumer.ts';
import { sampleLag } from './lag.ts';
import type { EventHandler } from './ports.ts';
import { workThrough } from './work.ts';

const PAUSE_MAX_MS = 5000;
/** kafkajs cannot be told to give up its tries. With Kafka away it must not hold up the end of the process: nothing is in flight then. */
const STOP_GRACE_MS = 5000;
/** A consumer that lived this long was sound: the next pause is short again. */
const SOUND_AFTER_MS = 30_000;

export interface GroupOptions {
  handler: EventHandler;
  brokers: readonly string[];
  security?: KafkaSecurity | undefined;
  /** Told how each attempt to join ended. */
  judge?: Judge | undefined;
  clientId: string;
  metrics: WorkerMetrics;
  log: Log;
}

export interface RunningGroup {
  stop(): Promise<void>;
}

/** Other systems may share the brokers, so the groups of Parley say whose they are. */
export const groupIdOf = (name: string): string => `parley-${name}`;

export function startGroup(options: GroupOptions): RunningGroup {
  const stopping = new AbortController();
  const running = run(options, stopping.signal);
  return {
    async stop() {
      stopping.abort(new Error('stopping'));
      const over = new AbortController();
      await Promise.race([running, sleep(STOP_GRACE_MS, undefined, { signal: over.signal }).catch(() => undefined)]);
      over.abort();
    },
  };
}

async function run(options: GroupOptions, stopping: AbortSignal): Promise<void> {
  const { handler, metrics, log, brokers, security, clientId, judge } = options;
  const group = handler.name;
  const outage = new Outage(log, {
    away: `Kafka, for the consumers ${group} is away; events wait in Kafka`,
    back: `Kafka, for the consumers ${group} is back`,
  });
  const sink = kafkaSink({ brokers, security, clientId, onTrouble: (reason) => outage.began(reason) });
  const letters = deadLetters(sink);
  const kafka = kafkaClient({ brokers, security, clientId, onError: (reason) => log.debug({ reason }, 'kafkajs') });
  const lag = sampleLag({ kafka, group, groupId: groupIdOf(group), topics: handler.topics, metrics, log });
  const known = new Set<string>();
  let failures = 0;
  while (!stopping.aborted) {
    const begun = Date.now();
    try {
      await ensureTopics(kafka, known, handler.topics);
      const consumer = await startConsumer({
        kafka,
        groupId: groupIdOf(group),
        topics: handler.topics,
        work: (records, { signal, commit }) =>
          workThrough(records, {
            handler,
            log,
            signal,
            commit,
            setAside: (each) => letters.write(each),
            onConsumed: (topic, count) => metrics.consumed.inc({ group, topic }, count),
            onRetry: (reason) => {
              metrics.retries.inc({ group });
              log.warn({ reason }, 'events could not be handled; trying again');
            },
            onDeadLetter: (topic) => metrics.consumedDeadLetters.inc({ group, topic }),
          }),
        onJoined: (partitions) => {
          outage.ended();
          judge?.(undefined);
          log.info({ partitions }, 'joined the group');
        },
      });
      const reason = await Promise.race([consumer.ended, aborted(stopping)]);
      await consumer.stop();
      if (stopping.aborted) break;
      metrics.restarts.inc({ group });
      outage.began(reason);
    } catch (error) {
      if (stopping.aborted) break;
      judge?.(error);
      outage.began(messageOf(error));
    }
    failures = Date.now() - begun > SOUND_AFTER_MS ? 0 : failures + 1;
    await sleep(backoffMs(failures, { maxMs: PAUSE_MAX_MS }), undefined, { signal: stopping }).catch(() => undefined);
  }
  await lag.stop();
  await sink.close();
}

const aborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve('stopping');
    else signal.addEventListener('abort', () => resolve('stopping'), { once: true });
  });
