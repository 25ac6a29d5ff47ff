// One relay and one sampler a database: which outbox, which lock, which sink.
import { mysqlLimits, type MysqlPool } from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import type { Resources } from '@parley/kit/run';
import type { PostgresPool } from '@parley/kit/sql';
import { kafkaSink } from '../kafka/sink.ts';
import type { KafkaAccess } from '../kafka/wiring.ts';
import { mysqlLock } from '../locks/mysql-lock.ts';
import type { RelayLock } from '../locks/ports.ts';
import { postgresLock } from '../locks/postgres-lock.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { mysqlEntries, mysqlOutbox } from './mysql-outbox.ts';
import type { EntryReader, Outbox } from './ports.ts';
import { postgresOutbox } from './postgres-outbox.ts';
import { startRelay, type Relay } from './relay.ts';
import { sampleOutbox } from './sampler.ts';

/** A database with an outbox. */
export interface Source {
  /** In logs and labels: chat or users. */
  database: string;
  outbox: Outbox;
  entries: EntryReader | undefined;
  lock: RelayLock;
}

interface Databases {
  mysql: MysqlPool;
  postgres: PostgresPool;
  config: { databaseUrl: string; databaseTimeoutMs: number; usersDatabaseUrl: string };
}

export const outboxSources = ({ mysql, postgres, config }: Databases): Source[] => [
  {
    database: 'chat',
    outbox: mysqlOutbox(mysql),
    entries: mysqlEntries(mysql),
    lock: mysqlLock(config.databaseUrl, mysqlLimits(config.databaseTimeoutMs)),
  },
  { database: 'users', outbox: postgresOutbox(postgres), entries: undefined, lock: postgresLock(config.usersDatabaseUrl) },
];

interface Told {
  metrics: WorkerMetrics;
  log: Log;
}

/** Also without Kafka: then it is what tells how much waits. */
export function sampleSources(open: Resources, sources: readonly Source[], { metrics, log }: Told): void {
  for (const { database, outbox } of sources) {
    open.add(`${database} sampler`, sampleOutbox({ database, outbox, metrics, log }), (stop) => stop());
  }
}

export function startRelays(sources: readonly Source[], { kafka, metrics, log }: Told & { kafka: KafkaAccess }): Relay[] {
  const { brokers, security, leave, instance } = kafka;
  return sources.map(({ database, ...source }) => {
    const judge = leave.judgeOf(`relay ${database}`);
    metrics.active.set({ database }, 0);
    return startRelay({
      ...source,
      name: database,
      log: log.child({ relay: database }),
      openSink: ({ onTrouble }) => kafkaSink({ brokers, security, clientId: `parley-${instance}`, onTrouble, judge }),
      onSent: (topic, count) => metrics.produced.inc({ topic }, count),
      onDeadLetter: (topic) => metrics.deadLetters.inc({ topic }),
      onActive: (active) => metrics.active.set({ database }, active ? 1 : 0),
    });
  });
}
