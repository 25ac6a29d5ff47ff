// Composition root of core: opens databases and the writer, then the public port; closes them in reverse.
import {
  createMysqlPool,
  mysqlLimits,
  pingMysql,
  readActiveMembers,
  ROOM_UPDATES_CHANNEL,
  RoomUpdates,
  type MysqlPool,
} from '@parley/chat-store';
import { createHttpApp, listen, parseTrustedProxies, requireUser } from '@parley/kit/http';
import { createMetrics, Health, messageOf, startAdmin, untilReachable, watchDependency, type Log, type Metrics } from '@parley/kit/process';
import { createRateLimiter, createRateLimitMetrics } from '@parley/kit/rate-limit';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { Resources, type Running } from '@parley/kit/run';
import { createPostgres, type PostgresPool } from '@parley/kit/sql';
import { configuredVerifier, rememberingVerifier, watchRevocations, type Identity } from '@parley/kit/tokens';
import { coreOperations } from '@parley/protocol';
import { createLogWriter, messageLog } from './adapters/message-log.ts';
import { mysqlInvitations } from './adapters/mysql-invitations.ts';
import { mysqlMemberships } from './adapters/mysql-memberships.ts';
import { mysqlRooms } from './adapters/mysql-rooms.ts';
import { redisAnnouncer } from './adapters/redis-announcer.ts';
import { redisPresence } from './adapters/redis-presence.ts';
import { createTicket } from '@parley/live';
import { cachedUsers } from './adapters/users.ts';
import type { CoreConfig } from './config.ts';
import { addInvitationRoutes } from './edge/invitation-routes.ts';
import { addMemberRoutes } from './edge/member-routes.ts';
import { addMessageRoutes } from './edge/message-routes.ts';
import { addPresenceRoutes } from './edge/presence-routes.ts';
import { addRoomRoutes } from './edge/room-routes.ts';
import type { RouteContext } from './edge/route-context.ts';
import { addTestClient } from './edge/test-client-page.ts';
import { addTicketRoutes } from './edge/ticket-routes.ts';
import { addUserRoutes } from './edge/user-routes.ts';
import { messageMetrics, userCacheMetrics } from './metrics.ts';

/** The version of all packages of the repository. */
const VERSION = '0.1.0';

/** A core that is ready. Ports are TCP ports: that of REST, and that of health and metrics. */
export interface RunningCore extends Running {
  port: number;
  adminPort: number;
}

/**
 * Resolves when both databases have answered and REST is served; Redis may come later. Rejects with what kept it from starting; nothing is
 * left open then. `instance` is the name of this process.
 */
export async function startCore({ config, log, instance }: { config: CoreConfig; log: Log; instance: string }): Promise<RunningCore> {
  const open = new Resources(log);
  const health = new Health();
  const metrics = createMetrics({ service: 'core', instance });
  try {
    const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry: metrics.registry });
    open.add('admin', admin, (server) => server.close());
    const limits = mysqlLimits(config.databaseTimeoutMs);
    const mysql = open.add('mysql', createMysqlPool(config.databaseUrl, { limits }), (pool) => pool.end());
    const postgres = open.add('postgres', createPostgres(config.usersDatabaseUrl, { log }), (pool) => pool.end());
    const redis = open.add('redis', createRedis(config.redisUrl, `core-${instance}`, log), (client) => client.disconnect());
    const watch = await watchRevocations({ redis, redisUrl: config.redisUrl, name: `core-${instance}-revocations`, log });
    open.add('revocations', watch, (each) => each.close());
    const patience = { timeoutMs: config.startupTimeoutMs, log };
    await untilReachable('MySQL', () => pingMysql(mysql), patience);
    await untilReachable('PostgreSQL', () => postgres.query('SELECT 1'), patience);

    const updates = open.add('room updates', createUpdates({ mysql, redis, log }), (each) => each.close());
    updates.start();
    const announcement = { redis, updates, instance, log };
    const messages = messageMetrics(metrics.registry);
    const writer = open.add(
      'writer',
      createLogWriter({
        ...announcement,
        ...{ databaseUrl: config.databaseUrl, limits },
        onFailure: (failure) => messages.commitFailures.inc({ failure }),
      }),
      (each) => each.close(),
    );
    await untilReachable('MySQL', () => writer.open(), patience);
    const context: RouteContext = {
      ...storesOf({ mysql, postgres, redis, metrics, log }),
      ...limitsOf(config, { redis, metrics, log }),
      messages: messageLog({ writer, mysql, onStored: (duplicate) => messages.stored.inc({ duplicate: String(duplicate) }) }),
      announcer: redisAnnouncer(announcement),
      requireUser: requireUser(rememberingVerifier(configuredVerifier(config)), watch.revocations),
      now: () => new Date(),
    };
    const app = createHttpApp({
      service: 'core',
      log,
      metrics,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
      allowedOrigins: config.allowedOrigins,
      operations: coreOperations,
      health: () => ({ status: health.draining ? 'draining' : 'ok', service: 'core', instance, version: VERSION }),
      routes: (routes) => {
        for (const add of [
          addUserRoutes,
          addRoomRoutes,
          addMessageRoutes,
          addMemberRoutes,
          addInvitationRoutes,
          addPresenceRoutes,
          addTicketRoutes,
          addTestClient,
        ])
          add(routes, context);
      },
    });
    // Redis is not among them: without it names come from PostgreSQL and replicas find new entries by themselves.
    open.add('mysql check', watchDependency({ health, log, name: 'mysql', ping: () => pingMysql(mysql) }), (stop) => stop());
    open.add('postgres check', watchDependency({ health, log, name: 'postgres', ping: () => postgres.query('SELECT 1') }), (stop) =>
      stop(),
    );
    const server = await listen(app, { host: config.serverHost, port: config.serverPort });
    open.add('http', server, (http) => http.close());
    health.started();
    log.info({ port: server.port, adminPort: admin.port }, 'core is ready');
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

interface Stores {
  mysql: MysqlPool;
  postgres: PostgresPool;
  redis: RedisClient;
  metrics: Metrics;
  log: Log;
}

function storesOf({ mysql, postgres, redis, metrics, log }: Stores) {
  return {
    users: cachedUsers({ postgres, redis, log, observe: userCacheMetrics(metrics.registry) }),
    rooms: mysqlRooms(mysql),
    memberships: mysqlMemberships(mysql),
    invitations: mysqlInvitations(mysql),
    tickets: { create: (identity: Identity) => createTicket(redis, identity) },
    presence: redisPresence(redis),
  };
}

function limitsOf(config: CoreConfig, { redis, metrics, log }: Pick<Stores, 'redis' | 'metrics' | 'log'>) {
  return {
    limiter: createRateLimiter({ redis, log, metrics: createRateLimitMetrics(metrics.registry) }),
    messageLimit: { burst: config.rateMessageBurst, perSecond: config.rateMessagePerSecond },
    messageMaxBytes: config.messageMaxBytes,
  };
}

function createUpdates({ mysql, redis, log }: Pick<Stores, 'mysql' | 'redis' | 'log'>): RoomUpdates {
  return new RoomUpdates({
    members: (roomIds, limits) => readActiveMembers(mysql, roomIds, limits),
    publish: (payload) => {
      redis
        .publish(ROOM_UPDATES_CHANNEL, payload)
        .catch((error: unknown) => log.debug({ reason: messageOf(error) }, 'room updates are lost'));
    },
    log,
  });
}
