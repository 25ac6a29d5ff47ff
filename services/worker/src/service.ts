// Composition root of the worker: one relay per database, the groups of consumers, webhooks and their administration.
import { createMysqlPool, pingMysql, readActiveMembers, type MysqlPool } from '@parley/chat-store';
import {
  createHttpApp,
  createMetrics,
  createPostgres,
  createRedis,
  Health,
  listen,
  parseTrustedProxies,
  Resources,
  startAdmin,
  untilReachable,
  watchDependency,
  type Log,
  type Metrics,
  type PostgresPool,
  type RedisClient,
  type Running,
} from '@parley/kit';
import { workerOperations } from '@parley/protocol';
import { auditHandler } from './audit/audit.ts';
import type { WorkerConfig } from './config.ts';
import type { EventHandler } from './consumers/ports.ts';
import { startGroup, type RunningGroup } from './consumers/supervisor.ts';
import { kafkaSecurity, type KafkaSecurity } from './kafka/config.ts';
import { KafkaLeave } from './kafka/leave.ts';
import { kafkaSink } from './kafka/sink.ts';
import { mysqlLock } from './locks/mysql-lock.ts';
import type { RelayLock } from './locks/ports.ts';
import { postgresLock } from './locks/postgres-lock.ts';
import { workerMetrics, type WorkerMetrics } from './metrics.ts';
import { notificationHandler } from './notifications/handler.ts';
import { redisNotified, redisPresence } from './notifications/redis.ts';
import { logSink, webhookSink } from './notifications/sinks.ts';
import { mysqlEntries, mysqlOutbox } from './relay/mysql-outbox.ts';
import type { EntryReader, Outbox } from './relay/ports.ts';
import { postgresOutbox } from './relay/postgres-outbox.ts';
import { startRelay, type Relay } from './relay/relay.ts';
import { sampleOutbox } from './relay/sampler.ts';
import { requireAdminKey } from './webhooks/admin-key.ts';
import { startDeliverer, type Deliverer } from './webhooks/deliverer.ts';
import { httpSender } from './webhooks/http-sender.ts';
import { webhookHandler } from './webhooks/intake.ts';
import { mysqlQueue } from './webhooks/mysql-queue.ts';
import { mysqlDeliveryIntake, mysqlWebhooks } from './webhooks/mysql-webhooks.ts';
import { addWebhookRoutes } from './webhooks/routes.ts';

/** The version of all packages of the repository. */
const VERSION = '0.1.0';

export interface RunningWorker extends Running {
  /** Of the administration of webhooks. */
  port: number;
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
  const processMetrics = createMetrics({ service: 'worker', instance });
  const { registry } = processMetrics;
  const metrics = workerMetrics(registry);
  const security = kafkaSecurity(config);
  try {
    const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry });
    open.add('admin', admin, (server) => server.close());
    const mysql = open.add('mysql', createMysqlPool(config.databaseUrl, { max: 10 }), (pool) => pool.end());
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
    const deliverer = addDeliverer(open, mysql, { config, log, instance, metrics });
    if (config.kafkaBrokers.length === 0) log.warn('KAFKA_BROKERS is empty: events wait in the outbox');
    else {
      const redis = open.add('redis', createRedis(config.redisUrl, `worker-${instance}`, log), (client) => client.disconnect());
      const handlers = [
        auditHandler(log),
        webhookHandler(mysqlDeliveryIntake(mysql), () => deliverer.wake()),
        notifications(open, { mysql, redis }, { config, log, metrics }),
      ];
      const leave = new KafkaLeave({ health, log, refused: metrics.kafkaRefused });
      const context = { config, log, instance, metrics, security, leave };
      const work = [...sources.map((source) => relayOf(source, context)), ...handlers.map((handler) => groupOf(handler, context))];
      // Ended together: with Kafka away each of them takes seconds, which would add up to more than a drain may take.
      open.add('relays and groups', work, async (all) => void (await Promise.all(all.map((each) => each.stop()))));
    }
    const server = await serveWebhooks({ mysql, postgres, deliverer, health, metrics: processMetrics }, { config, log, instance });
    open.add('http', server, (http) => http.close());
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

interface KafkaContext extends Context {
  metrics: WorkerMetrics;
  security: KafkaSecurity;
  leave: KafkaLeave;
}

function relayOf({ database, ...source }: Source, context: KafkaContext): Relay {
  const { config, log, instance, metrics, security, leave } = context;
  const judge = leave.judgeOf(`relay ${database}`);
  metrics.active.set({ database }, 0);
  return startRelay({
    ...source,
    name: database,
    log: log.child({ relay: database }),
    openSink: ({ onTrouble }) => kafkaSink({ brokers: config.kafkaBrokers, security, clientId: `parley-${instance}`, onTrouble, judge }),
    onSent: (topic, count) => metrics.produced.inc({ topic }, count),
    onDeadLetter: (topic) => metrics.deadLetters.inc({ topic }),
    onActive: (active) => metrics.active.set({ database }, active ? 1 : 0),
  });
}

function groupOf(handler: EventHandler, { config, log, instance, metrics, security, leave }: KafkaContext): RunningGroup {
  return startGroup({
    handler,
    brokers: config.kafkaBrokers,
    security,
    judge: leave.judgeOf(`group ${handler.name}`),
    clientId: `parley-${handler.name}-${instance}`,
    metrics,
    log: log.child({ group: handler.name }),
  });
}

/** Also without Kafka: what is replayed by hand is in the database. */
function addDeliverer(
  open: Resources,
  mysql: MysqlPool,
  { config, log, instance, metrics }: Context & { metrics: WorkerMetrics },
): Deliverer {
  const sender = open.add('webhook sender', httpSender({ allowPrivate: config.webhookAllowPrivate }), (each) => each.close());
  const deliverer = startDeliverer({
    queue: mysqlQueue(mysql, instance),
    sender,
    failuresMax: config.webhookFailuresMax,
    metrics,
    log: log.child({ part: 'webhooks' }),
  });
  return open.add('deliverer', deliverer, (running) => running.stop());
}

function notifications(
  open: Resources,
  { mysql, redis }: { mysql: MysqlPool; redis: RedisClient },
  { config, log, metrics }: Omit<Context, 'instance'> & { metrics: WorkerMetrics },
): EventHandler {
  // Its URL comes from the operator of the cluster, not from a caller: it may be private.
  const sender = open.add('notification sender', httpSender({ allowPrivate: true }), (each) => each.close());
  const { notificationsWebhookUrl: url, notificationsWebhookSecret: secret } = config;
  return notificationHandler({
    members: { of: (roomIds, max) => readActiveMembers(mysql, roomIds, { max }) },
    presence: redisPresence(redis),
    notified: redisNotified(redis),
    sinks: [logSink(log), ...(url === undefined ? [] : [webhookSink({ url, secret, sender })])],
    onVerdict: (result) => metrics.notifications.inc({ result }),
    now: () => new Date(),
  });
}

interface Administration {
  mysql: MysqlPool;
  postgres: PostgresPool;
  deliverer: Deliverer;
  health: Health;
  metrics: Metrics;
}

function serveWebhooks({ mysql, postgres, deliverer, health, metrics }: Administration, { config, log, instance }: Context) {
  const app = createHttpApp({
    service: 'worker',
    log,
    metrics,
    trustedProxies: parseTrustedProxies(config.trustedProxies),
    allowedOrigins: config.allowedOrigins,
    operations: workerOperations,
    health: () => ({ status: health.draining ? 'draining' : 'ok', service: 'worker', instance, version: VERSION }),
    routes: (routes) =>
      addWebhookRoutes(routes, {
        webhooks: mysqlWebhooks(mysql),
        requireAdmin: requireAdminKey(postgres),
        allowPrivate: config.webhookAllowPrivate,
        onReplay: () => deliverer.wake(),
      }),
  });
  return listen(app, { host: config.serverHost, port: config.serverPort });
}
