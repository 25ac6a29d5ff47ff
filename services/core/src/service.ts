// Composition root of core: opens databases, then the public port; closes them in reverse.
import { createMysqlPool, pingMysql } from '@parley/chat-store';
import {
  createHttpApp,
  createMetrics,
  createPostgres,
  createRedis,
  createTokenVerifier,
  Health,
  listen,
  parseTrustedProxies,
  requireUser,
  Resources,
  startAdmin,
  untilReachable,
  watchDependency,
  type Log,
  type Running,
} from '@parley/kit';
import { mysqlInvitations } from './adapters/mysql-invitations.ts';
import { mysqlRooms } from './adapters/mysql-rooms.ts';
import { redisAnnouncer } from './adapters/redis-announcer.ts';
import { cachedUsers } from './adapters/users.ts';
import type { CoreConfig } from './config.ts';
import { addInvitationRoutes } from './edge/invitation-routes.ts';
import { addRoomRoutes } from './edge/room-routes.ts';
import { addUserRoutes } from './edge/user-routes.ts';
import { userCacheMetrics } from './metrics.ts';

/** The version of all packages of the repository. */
const VERSION = '0.1.0';

export interface RunningCore extends Running {
  port: number;
  adminPort: number;
}

export async function startCore({ config, log, instance }: { config: CoreConfig; log: Log; instance: string }): Promise<RunningCore> {
  const open = new Resources(log);
  const health = new Health();
  const metrics = createMetrics({ service: 'core', instance });
  try {
    const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry: metrics.registry });
    open.add('admin', admin, (server) => server.close());
    const mysql = open.add('mysql', createMysqlPool(config.databaseUrl), (pool) => pool.end());
    const postgres = open.add('postgres', createPostgres(config.usersDatabaseUrl, { log }), (pool) => pool.end());
    const redis = open.add('redis', createRedis(config.redisUrl, `core-${instance}`, log), (client) => client.disconnect());
    const patience = { timeoutMs: config.startupTimeoutMs, log };
    await untilReachable('MySQL', () => pingMysql(mysql), patience);
    await untilReachable('PostgreSQL', () => postgres.query('SELECT 1'), patience);

    const now = () => new Date();
    const users = cachedUsers({ postgres, redis, log, observe: userCacheMetrics(metrics.registry) });
    const rooms = mysqlRooms(mysql);
    const verifier = createTokenVerifier({ jwksUrl: config.jwksUrl, issuer: config.jwtIssuer, audience: config.jwtAudience });
    const guard = requireUser(verifier);
    const app = createHttpApp({
      service: 'core',
      log,
      metrics,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
      allowedOrigins: config.allowedOrigins,
      health: () => ({ status: health.draining ? 'draining' : 'ok', service: 'core', instance, version: VERSION }),
      routes: (routes) => {
        addUserRoutes(routes, { users, requireUser: guard });
        addRoomRoutes(routes, { rooms, users, requireUser: guard, now });
        addInvitationRoutes(routes, {
          invitations: mysqlInvitations(mysql),
          announcer: redisAnnouncer({ redis, instance, log }),
          requireUser: guard,
          now,
        });
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
