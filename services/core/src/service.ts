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
import { requireUser, startHttpService, type HttpServiceContext, type RunningHttpService } from '@parley/kit/http';
import { messageOf, untilReachable, watchDependency, type Log, type Metrics } from '@parley/kit/process';
import { createRateLimiter, createRateLimitMetrics } from '@parley/kit/rate-limit';
import type { RedisClient } from '@parley/kit/redis';
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

/**
 * Resolves when both databases have answered and REST is served; Redis may come later. Rejects with what kept it from starting; nothing is
 * left open then.
 */
export async function startCore(context: HttpServiceContext<CoreConfig>): Promise<RunningHttpService> {
  const { config, log, instance } = context;
  return startHttpService(context, {
    service: 'core',
    async open({ open, health, metrics, openRedis }) {
      const limits = mysqlLimits(config.databaseTimeoutMs);
      const mysql = open.add('mysql', createMysqlPool(config.databaseUrl, { limits }), (pool) => pool.end());
      const postgres = open.add('postgres', createPostgres(config.usersDatabaseUrl, { log }), (pool) => pool.end());
      const redis = openRedis(config.redisUrl);
      const watch = await watchRevocations({ redis, redisUrl: config.redisUrl, name: `core-${instance}-revocations`, log });
      open.add('revocations', watch, (each) => each.close());
      const patience = { timeoutMs: config.startupTimeoutMs, log };
      await untilReachable('MySQL', () => pingMysql(mysql), patience);
      await untilReachable('PostgreSQL', () => postgres.query('SELECT 1'), patience);

      const updates = open.add('room updates', createUpdates({ mysql, redis, log }), (each) => each.close());
      updates.start();
      const announcement = { redis, updates, instance, log };
      const messages = messageMetrics(metrics.registry);
      const onFailure = (failure: string) => messages.commitFailures.inc({ failure });
      const writer = createLogWriter({ ...announcement, databaseUrl: config.databaseUrl, limits, onFailure });
      open.add('writer', writer, (each) => each.close());
      await untilReachable('MySQL', () => writer.open(), patience);
      const routes: RouteContext = {
        ...storesOf({ mysql, postgres, redis, metrics, log }),
        ...limitsOf(config, { redis, metrics, log }),
        messages: messageLog({ writer, mysql, onStored: (duplicate) => messages.stored.inc({ duplicate: String(duplicate) }) }),
        announcer: redisAnnouncer(announcement),
        requireUser: requireUser(rememberingVerifier(configuredVerifier(config)), watch.revocations),
        now: () => new Date(),
      };
      // Redis is not among them: without it names come from PostgreSQL and replicas find new entries by themselves.
      const checks = { mysql: () => pingMysql(mysql), postgres: () => postgres.query('SELECT 1') };
      for (const [name, ping] of Object.entries(checks))
        open.add(`${name} check`, watchDependency({ health, log, name, ping }), (stop) => stop());
      return { operations: coreOperations, routes: (app) => addRoutes.forEach((add) => add(app, routes)) };
    },
  });
}

const addRoutes = [
  addUserRoutes,
  addRoomRoutes,
  addMessageRoutes,
  addMemberRoutes,
  addInvitationRoutes,
  addPresenceRoutes,
  addTicketRoutes,
  addTestClient,
];

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
