// Composition root of the worker: its databases, then each feature by its own wiring.
import { createMysqlPool, mysqlLimits, pingMysql } from '@parley/chat-store';
import { startHttpService, type HttpServiceContext, type RunningHttpService } from '@parley/kit/http';
import { untilReachable, watchDependency } from '@parley/kit/process';
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

/**
 * Resolves when the databases have answered and all is running; Kafka may come later. Rejects with a ConfigError for settings that do
 * not fit together, or with what kept it from starting; nothing is left open then.
 */
export async function startWorker(context: HttpServiceContext<WorkerConfig>): Promise<RunningHttpService> {
  const { config, log, instance } = context;
  return startHttpService(context, {
    service: 'worker',
    async open({ open, health, metrics: { registry } }) {
      const metrics = workerMetrics(registry);
      const kafka = kafkaAccess({ config, instance, health, metrics, log });
      const limits = mysqlLimits(config.databaseTimeoutMs);
      const mysql = open.add('mysql', createMysqlPool(config.databaseUrl, { limits }), (pool) => pool.end());
      const postgres = open.add('postgres', createPostgres(config.usersDatabaseUrl, { log, max: 3 }), (pool) => pool.end());
      const patience = { timeoutMs: config.startupTimeoutMs, log };
      await untilReachable('MySQL', () => pingMysql(mysql), patience);
      await untilReachable('PostgreSQL', () => postgres.query('SELECT 1'), patience);
      // Kafka is not among them: while it is away, waiting in the outbox is what should happen.
      const checks = { mysql: () => pingMysql(mysql), postgres: () => postgres.query('SELECT 1') };
      for (const [name, ping] of Object.entries(checks))
        open.add(`${name} check`, watchDependency({ health, log, name, ping }), (stop) => stop());

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
      return { operations: workerOperations, routes: webhooks.addRoutes };
    },
  });
}
