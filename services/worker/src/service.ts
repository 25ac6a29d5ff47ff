// Composition root of the worker: one relay per database.
import { createMysqlPool, pingMysql } from '@parley/chat-store';
import {
  createMetrics,
  createPostgres,
  Health,
  Resources,
  startAdmin,
  untilReachable,
  watchDependency,
  type Log,
  type Running,
} from '@parley/kit';
import { auditHandler } from './audit/audit.ts';
import { kafkaSink } from './adapters/kafka-sink.ts';
import { mysqlLock } from './adapters/mysql-lock.ts';
import { mysqlEntries, mysqlOutbox } from './adapters/mysql-outbox.ts';
import { postgresLock } from './adapters/postgres-lock.ts';
import { postgresOutbox } from './adapters/postgres-outbox.ts';
import type { WorkerConfig } from './config.ts';
import type { EventHandler } from './consumers/ports.ts';
import { startGroup } from './consumers/supervisor.ts';
import { workerMetrics, type WorkerMetrics } from './metrics.ts';
import type { EntryReader, Outbox, RelayLock } from './ports.ts';
import { startRelay } from './relay.ts';
import { sampleOutbox } from './sampler.ts';

export interface RunningWorker extends Running {
  adminPort: number;
}

interface Source {
  database: string;
  outbox: Outbox;
  entries: EntryReader | undefined;
  lock: RelayLock;
}

interface Context {
  config: WorkerConfig;
  log: Log;
  instance: string;
}

export async function startWorker({ config, log, instance }: Context): Promise<RunningWorker> {
  const open = new Resources(log);
  const health = new Health();
  const { registry } = createMetrics({ service: 'worker', instance });
  const metrics = workerMetrics(registry);
  try {
    const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry });
    open.add('admin', admin, (server) => server.close());
    const mysql = open.add('mysql', createMysqlPool(config.databaseUrl, { max: 5 }), (pool) => pool.end());
    const postgres = open.add('postgres', createPostgres(config.usersDatabaseUrl, { log, max: 3 }), (pool) => pool.end());
    const patience = { timeoutMs: config.startupTimeoutMs, log };
    await untilReachable('MySQL', () => pingMysql(mysql), patience);
    await untilReachable('PostgreSQL', () => postgres.query('SELECT 1'), patience);
    // Kafka is not among them: while it is away, waiting in the outbox is what should happen.
    open.add('mysql check', watchDependency({ health, log, name: 'mysql', ping: () => pingMysql(mysql) }), (stop) => stop());
    open.add('postgres check', watchDependency({ health, log, name: 'postgres', ping: () => postgres.query('SELECT 1') }), (stop) =>
      stop(),
    );

    const sources: Source[] = [
      { database: 'chat', outbox: mysqlOutbox(mysql), entries: mysqlEntries(mysql), lock: mysqlLock(config.databaseUrl) },
      { database: 'users', outbox: postgresOutbox(postgres), entries: undefined, lock: postgresLock(config.usersDatabaseUrl) },
    ];
    for (const { database, outbox } of sources) {
      open.add(`${database} sampler`, sampleOutbox({ database, outbox, metrics, log }), (stop) => stop());
    }
    if (config.kafkaBrokers.length === 0) log.warn('KAFKA_BROKERS is empty: events wait in the outbox');
    else {
      for (const source of sources) addRelay(open, source, { config, log, instance, metrics });
      for (const handler of [auditHandler(log)]) addGroup(open, handler, { config, log, instance, metrics });
    }
    health.started();
    log.info({ adminPort: admin.port }, 'worker is ready');
    return {
      adminPort: admin.port,
      close: async () => {
        health.drain();
        await open.close();
      },
    };
  } catch (error) {
    await open.close();
    throw error;
  }
}

function addRelay(open: Resources, { database, ...source }: Source, context: Context & { metrics: WorkerMetrics }): void {
  const { config, log, instance, metrics } = context;
  metrics.active.set({ database }, 0);
  const relay = startRelay({
    ...source,
    name: database,
    log: log.child({ relay: database }),
    openSink: ({ onTrouble }) => kafkaSink({ brokers: config.kafkaBrokers, clientId: `parley-${instance}`, onTrouble }),
    onSent: (topic, count) => metrics.produced.inc({ topic }, count),
    onDeadLetter: (topic) => metrics.deadLetters.inc({ topic }),
    onActive: (active) => metrics.active.set({ database }, active ? 1 : 0),
  });
  open.add(`${database} relay`, relay, (running) => running.stop());
}

function addGroup(open: Resources, handler: EventHandler, { config, log, instance, metrics }: Context & { metrics: WorkerMetrics }): void {
  const group = startGroup({
    handler,
    brokers: config.kafkaBrokers,
    clientId: `parley-${handler.name}-${instance}`,
    metrics,
    log: log.child({ group: handler.name }),
  });
  open.add(`group ${handler.name}`, group, (running) => running.stop());
}
