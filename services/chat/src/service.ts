// Composition root of the chat service: opens everything in order and closes it in reverse.
import { createMysqlPool, mysqlLimits, pingMysql, readEpoch } from '@parley/chat-store';
import { parseTrustedProxies } from '@parley/kit/http';
import { createMetrics, Health, untilReachable, VERSION, watchDependency, type Log } from '@parley/kit/process';
import { createRateLimiter } from '@parley/kit/rate-limit';
import { createRedis } from '@parley/kit/redis';
import { Resources, type Running } from '@parley/kit/run';
import { configuredVerifier, rememberingVerifier, RevocationFeed, RevocationList } from '@parley/kit/tokens';
import { takeTicket } from '@parley/live';
import { FRAME_OVERHEAD_BYTES, METADATA_MAX_BYTES } from '@parley/protocol';
import { mysqlReader } from './adapters/mysql-reader.ts';
import { redisConnections } from './adapters/redis-connections.ts';
import { applyRevocation } from './commands/revoke.ts';
import type { ChatConfig } from './config.ts';
import type { ChatContext } from './context.ts';
import { createDelivery } from './delivery.ts';
import { AdmissionControl } from './sockets/admission.ts';
import { drainEdge, restartSockets } from './lifecycle/drain.ts';
import { uws } from './sockets/uws.ts';
import { WsEdge } from './sockets/ws.ts';
import { createBudgets } from './limits/budgets.ts';
import { createChatMetrics } from './metrics.ts';
import { openOperatorPort, type Told } from './lifecycle/operator-port.ts';
import { createPresence } from './presence/index.ts';
import { MembershipLoader } from './rooms/membership-loader.ts';
import { Typing } from './rooms/typing.ts';
import type { Session } from './sockets/session.ts';
import { everySecond } from './lifecycle/ticker.ts';
import { ConnectionCaps } from './users/connection-caps.ts';
import { LocalUsers } from './users/local-users.ts';

/** A character may take six bytes of JSON (\u0000); a frame with the largest allowed content must pass. */
const JSON_ESCAPE_FACTOR = 6;

export interface ChatService extends Running {
  port: number;
  adminPort: number;
}

export interface ChatOptions {
  config: ChatConfig;
  log: Log;
  instance: string;
}

export async function startChat({ config, log, instance }: ChatOptions): Promise<ChatService> {
  // Before anything is waited for: a binding that is not the pinned one ends the start at once.
  uws();
  const resources = new Resources(log);
  const health = new Health();
  const { registry } = createMetrics({ service: 'chat', instance });
  try {
    const told: Told = { connections: () => 0, redis: () => undefined, databaseFull: () => undefined };
    let drainEndsMs = 0;
    const admin = await openOperatorPort({ config, health, registry, resources, told, edge: () => edge });
    const limits = mysqlLimits(config.databaseTimeoutMs);
    const pool = resources.add('mysql', createMysqlPool(config.databaseUrl, { limits }), (open) => open.end());
    const epoch = await untilReachable('MySQL', () => readEpoch(pool), { timeoutMs: config.startupTimeoutMs, log });
    const redis = resources.add('redis', createRedis(config.redisUrl, `${instance}:commands`, log), (open) => open.disconnect());
    told.redis = () => (redis.status === 'ready' ? redis.stream.remoteAddress : undefined);

    const users = new LocalUsers();
    const slow = new Set<Session>();
    const reader = mysqlReader(pool);
    const frameMaxBytes = config.messageMaxBytes * JSON_ESCAPE_FACTOR + METADATA_MAX_BYTES * 2 + FRAME_OVERHEAD_BYTES;
    const edge = createEdge({ config, frameMaxBytes, health, log, instance, slow, context: () => context });
    told.connections = () => edge.sessions.size;
    const metrics = createChatMetrics(registry, {
      ...{ connections: told.connections, connectionsMax: () => config.maxConnections, drainEnds: () => drainEndsMs / 1000 },
      redisConnected: () => Number(delivery.redisConnected()),
      rooms: () => delivery.rooms.size,
      ...{ queued: () => delivery.writer.queued, queuedMax: () => config.messageQueueMax },
      users: () => users.count,
      slow: () => slow.size,
      framesReceived: () => edge.framesReceived,
      framesSent: () => edge.framesSent,
    });
    const revocations = resources.add(
      'revocations',
      new RevocationFeed({ redis, log, onRevocation: (revocation) => applyRevocation(context, revocation) }),
      (open) => open.close(),
    );
    const delivery = createDelivery({
      ...{ resources, databaseUrl: config.databaseUrl, limits, redisUrl: config.redisUrl, pool, redis, reader, instance, epoch },
      ...{ topics: edge, users, slow, metrics, log },
      queue: { queueMax: config.messageQueueMax, waitMaxMs: config.messageWaitMaxMs },
      onNewEpoch: () => restartSockets(edge.sessions),
      onRevocation: (text) => revocations.receive(text),
    });
    const { publishToRoom, userEvents } = delivery;
    told.databaseFull = delivery.databaseFull;
    const onEvents = (outcome: string, count: number) => metrics.presenceEvents.inc({ outcome }, count);
    // Another name for each start: what a former process of this instance left is not its list.
    const incarnation = `${instance}~${edge.incarnation}`;
    const presence = resources.add(
      'presence',
      createPresence({ redis, pool, instance: incarnation, publishToRoom, log, onEvents }),
      (open) => open.close(),
    );
    const context: ChatContext = {
      ...{ instance, users, presence, metrics, log, ...delivery },
      messageMaxBytes: config.messageMaxBytes,
      frameMaxBytes,
      verifier: rememberingVerifier(configuredVerifier(config)),
      tickets: { take: (id) => takeTicket(redis, id) },
      revocations: new RevocationList(),
      memberships: new MembershipLoader(reader),
      caps: new ConnectionCaps({
        connections: redisConnections(redis, config.maxConnectionsPerUser),
        users,
        events: userEvents,
        maxPerUser: config.maxConnectionsPerUser,
      }),
      typing: new Typing(publishToRoom),
      limits: createBudgets(config, createRateLimiter({ redis, log, metrics: { local: metrics.rateLimits.local } })),
    };
    await untilReachable('MySQL', () => delivery.writer.open(), { timeoutMs: config.startupTimeoutMs, log });
    await revocations.start();
    delivery.rooms.start();
    delivery.updates.start();
    presence.start();
    resources.add('ticker', setInterval(everySecond(context, { edge, slow, health, config }), 1000), clearInterval);
    // The writer's connections say nothing of the readers': after a failover these may still wait for the node that is gone.
    const readers = watchDependency({ health, log, name: 'mysql readers', ping: () => pingMysql(pool) });
    resources.add('readers check', readers, (stop) => stop());
    const port = await edge.listen(config.serverHost, config.serverPort);
    resources.add('sockets', edge, (open) => {
      drainEndsMs = Date.now() + config.drainWindowMs;
      return drainEdge(open, health, config);
    });
    resources.add('movers', admin.movers, (open) => open.forEach((each) => each.close()));
    health.started();
    log.info({ port, adminPort: admin.port, epoch }, 'ready');
    return { port, adminPort: admin.port, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

interface EdgeParts extends ChatOptions {
  health: Health;
  slow: Set<Session>;
  frameMaxBytes: number;
  context: () => ChatContext;
}

function createEdge({ config, health, log, instance, slow, frameMaxBytes, context }: EdgeParts): WsEdge {
  const edge: WsEdge = new WsEdge({
    ...{ health, log, slow, frameMaxBytes, context },
    admission: new AdmissionControl({
      maxConnections: config.maxConnections,
      maxPerAddress: config.maxConnectionsPerIp,
      allowedOrigins: new Set(config.allowedOrigins),
      allowMissingOrigin: config.allowMissingOrigin,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
    }),
    healthAnswer: () => ({
      status: health.draining ? 'draining' : 'ok',
      service: 'chat',
      instance,
      version: VERSION,
      connections: edge.sessions.size,
    }),
  });
  return edge;
}
