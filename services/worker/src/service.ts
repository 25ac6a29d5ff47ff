// Composition root of the worker: its databases, then each feature by its own wiring.
import { createMysqlPool, mysqlLimits, pingMysql } from '@parley/chat-store';
import { createHttpApp, listen, parseTrustedProxies } from '@parley/kit/http';
import { createMetrics, Health, startAdmin, untilReachable, watchDependency, type Log } from '@parley/kit/process';
import { Resources, type Running } from '@parley/kit/run';
import { createPostgres } from '@parley/kit/sql';
import { workerOperations } from '@parley/protocol';
import { auditHandler } from './audit/audit.ts';
import type { WorkerConfig } from './config.ts';
import { startGroups } from './consumers/wiring.ts';
import { kafkaAccess } from './kafka/wiring.ts';
import { workerMetrics } from './metrics.ts';
import { openNotifications } from './notifications/wiring.ts';
import { outboxSources, sampleSources, startRelays } from './relay/wiring.ts';
import { openWebhooks } from './webhooks/wiring.ts';

/** The version of all packages of the repository. */
const VERSION = '0.1.0';

/** A worker that is ready. */
export interface RunningWorker extends Running {
  /** TCP port on which the administration of webhooks is served. */
  port: number;
  /** TCP port of health and metrics. */
  adminPort: number;
}

interface Context {
  config: WorkerConfig;
  log: Log;
  /** Name of this process, unique among the workers. */
  instance: string;
}

/**
 * Resolves when the databases have answered and all is running; Kafka may come later. Rejects with a ConfigError for settings that do
 * not fit together, or with what kept it from starting; nothing is left open then.
 */
export async function startWorker({ config, log, instance }: Context): Promise<RunningWorker> {
  const open = new Resources(log);
  const health = new Health();
  const processMetrics = createMetrics({ service: 'worker', instance });
  const metrics = workerMetrics(processMetrics.registry);
  try {
    const kafka = kafkaAccess({ config, instance, health, metrics, log });
    const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry: processMetrics.registry });
    open.add('admin', admin, (server) => server.close());
    const limits = mysqlLimits(config.databaseTimeoutMs);
    const mysql = open.add('mysql', createMysqlPool(config.databaseUrl, { limits }), (pool) => pool.end());
    const postgres = open.add('postgres', createPostgres(config.usersDatabaseUrl, { log, max: 3 }), (pool) => pool.end());
    const patience = { timeoutMs: config.startupTimeoutMs, log };
    await untilReachable('MySQL', () => pingMysql(mysql), patience);
    await untilReachable('PostgreSQL', () => postgres.query('SELECT 1'), patience);
    // Kafka is not among them: while it is away, waiting in the outbox is what should happen.
    open.add('mysql check', watchDependency({ health, log, name: 'mysql', ping: () => pingMysql(mysql) }), (stop) => stop());
    open.add('postgres check', watchDependency({ health, log, name: 'postgres', ping: () => postgres.query('SELECT 1') }), (stop) =>
      stop(),
    );

    const told = { metrics, log };
    const sources = outboxSources({ mysql, postgres, config });
    sampleSources(open, sources, told);
    const webhooks = openWebhooks(open, { mysql, postgres, config, instance, ...told });
    if (kafka.brokers.length === 0) log.warn('KAFKA_BROKERS is empty: events wait in the outbox');
    else {
      const handlers = [auditHandler(log), webhooks.handler, openNotifications(open, { mysql, config, instance, ...told })];
      const work = [...startRelays(sources, { kafka, ...told }), ...startGroups(handlers, { kafka, ...told })];
      // Ended together: with Kafka away each of them takes seconds, which would add up to more than a drain may take.
      open.add('relays and groups', work, async (all) => void (await Promise.all(all.map((each) => each.stop()))));
    }
    const app = createHttpApp({
      service: 'worker',
      log,
      metrics: processMetrics,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
      allowedOrigins: config.allowedOrigins,
      operations: workerOperations,
      health: () => ({ status: health.draining ? 'draining' : 'ok', service: 'worker', instance, version: VERSION }),
      routes: webhooks.addRoutes,
    });
    const server = open.add('http', await listen(app, { host: config.serverHost, port: config.serverPort }), (http) => http.close());
    health.started();
    log.info({ port: server.port, adminPort: admin.port }, 'worker is ready');
    return {
      port: server.port,
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
