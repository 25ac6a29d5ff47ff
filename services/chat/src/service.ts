// Composition root of the chat service: opens everything in order and closes it in reverse.
import { randomBytes } from 'node:crypto';
import { createMysqlPool, mysqlLimits, pingMysql, readEpoch } from '@parley/chat-store';
import { parseTrustedProxies } from '@parley/kit/http';
import { createMetrics, Health, untilReachable, VERSION, watchDependency, type Log } from '@parley/kit/process';
import { createRateLimiter } from '@parley/kit/rate-limit';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { Resources, type Running } from '@parley/kit/run';
import { configuredVerifier, rememberingVerifier, RevocationFeed, RevocationList } from '@parley/kit/tokens';
import { takeTicket } from '@parley/live';
import { FRAME_OVERHEAD_BYTES, METADATA_MAX_BYTES } from '@parley/protocol';
import type { Registry } from 'prom-client';
import { mysqlReader } from './adapters/mysql-reader.ts';
import { redisConnections } from './adapters/redis-connections.ts';
import { applyRevocation } from './commands/revoke.ts';
import type { ChatConfig } from './config.ts';
import type { ChatContext } from './context.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { AdmissionControl } from './sockets/admission.ts';
import { drainEdge, restartSockets } from './lifecycle/drain.ts';
import { uws } from './sockets/uws.ts';
import { SocketTopics } from './sockets/topics.ts';
import { WsEdge } from './sockets/ws.ts';
import { createBudgets } from './limits/budgets.ts';
import { createChatMetrics, observeChat } from './metrics.ts';
import { openOperatorPort } from './lifecycle/operator-port.ts';
import { createPresence } from './presence/index.ts';
import { MembershipLoader } from './rooms/membership-loader.ts';
import { Typing } from './rooms/typing.ts';
import type { Session } from './sockets/session.ts';
import { everySecond } from './lifecycle/ticker.ts';
import { ConnectionCaps } from './users/connection-caps.ts';
import { LocalUsers } from './users/local-users.ts';
import type { UserEvents } from './users/user-events.ts';

/** A character may take six bytes of JSON (\u0000). */
const JSON_ESCAPE_FACTOR = 6;

/** A running replica: its public port, its admin port, and its orderly end. */
export interface ChatService extends Running {
  port: number;
  adminPort: number;
}

export interface ChatOptions {
  config: ChatConfig;
  log: Log;
  instance: string;
}

/** Starts a replica. Rejects with the cause when a dependency cannot be reached in time; what was opened is closed then. */
export async function startChat({ config, log, instance }: ChatOptions): Promise<ChatService> {
  // Before anything is waited for: a binding that is not the pinned one ends the start at once.
  uws();
  const resources = new Resources(log);
  const health = new Health();
  const { registry } = createMetrics({ service: 'chat', instance });
  try {
    // What everything else needs: sockets and topics, who looks at what, databases.
    const sockets = { topics: new SocketTopics(), sessions: new Set<Session>(), slow: new Set<Session>(), users: new LocalUsers() };
    const { topics, sessions, slow, users } = sockets;
    const operatorPort = await openOperatorPort({ config, health, registry, resources, sessions });
    const metrics = createChatMetrics(registry);
    const limits = mysqlLimits(config.databaseTimeoutMs);
    const pool = resources.add('mysql', createMysqlPool(config.databaseUrl, { limits }), (open) => open.end());
    const epoch = await untilReachable('MySQL', () => readEpoch(pool), { timeoutMs: config.startupTimeoutMs, log });
    const redis = resources.add('redis', createRedis(config.redisUrl, `${instance}:commands`, log), (open) => open.disconnect());
    const reader = mysqlReader(pool);

    // What is told, and to whom.
    const known = { users, metrics, revocations: new RevocationList() };
    const revocations = resources.add(
      'revocations',
      new RevocationFeed({ redis, log, onRevocation: (revocation) => applyRevocation(known, revocation) }),
      (open) => open.close(),
    );
    const delivery = createDelivery({
      ...{ resources, databaseUrl: config.databaseUrl, limits, redisUrl: config.redisUrl, pool, redis, reader, instance, epoch },
      ...{ topics, users, slow, metrics, log },
      queue: { queueMax: config.messageQueueMax, waitMaxMs: config.messageWaitMaxMs },
      onNewEpoch: () => restartSockets(sessions),
      onRevocation: (text) => revocations.receive(text),
    });
    const incarnation = randomBytes(6).toString('base64url');
    const presence = resources.add(
      'presence',
      createPresence({
        ...{ redis, pool, publishToRoom: delivery.publishToRoom, log },
        // Another name for each start: what a former process of this instance left is not its list.
        instance: `${instance}~${incarnation}`,
        onEvents: (outcome, count) => metrics.presenceEvents.inc({ outcome }, count),
      }),
      (open) => open.close(),
    );

    // What the commands of a socket work with, and the sockets themselves.
    const context: ChatContext = {
      ...{ instance, presence, log, ...known, ...delivery },
      ...{ messageMaxBytes: config.messageMaxBytes, frameMaxBytes: frameMaxBytes(config) },
      verifier: rememberingVerifier(configuredVerifier(config)),
      tickets: { take: (id) => takeTicket(redis, id) },
      memberships: new MembershipLoader(reader),
      caps: createCaps(config, { redis, users, events: delivery.userEvents }),
      typing: new Typing(delivery.publishToRoom),
      limits: createBudgets(config, createRateLimiter({ redis, log, metrics: { local: metrics.rateLimits.local } })),
    };
    const edge = createEdge({ config, health, log, instance, incarnation, context, ...sockets });
    operatorPort.tell({
      redis: () => (redis.status === 'ready' ? redis.stream.remoteAddress : undefined),
      databaseFull: delivery.databaseFull,
    });
    const drain = { endsMs: 0 };
    observe(registry, { config, ...sockets, delivery, edge, drain });

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
      drain.endsMs = Date.now() + config.drainWindowMs;
      return drainEdge(open, health, config);
    });
    resources.add('movers', operatorPort.movers, (open) => open.forEach((each) => each.close()));
    health.started();
    log.info({ port, adminPort: operatorPort.port, epoch }, 'ready');
    return { port, adminPort: operatorPort.port, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

/** A frame with the largest allowed content passes, however it is escaped. */
const frameMaxBytes = ({ messageMaxBytes }: ChatConfig): number =>
  messageMaxBytes * JSON_ESCAPE_FACTOR + METADATA_MAX_BYTES * 2 + FRAME_OVERHEAD_BYTES;

function createCaps(
  { maxConnectionsPerUser }: ChatConfig,
  { redis, users, events }: { redis: RedisClient; users: LocalUsers; events: UserEvents },
) {
  const connections = redisConnections(redis, maxConnectionsPerUser);
  return new ConnectionCaps({ connections, users, events, maxPerUser: maxConnectionsPerUser });
}

interface Sockets {
  topics: SocketTopics;
  /** all that are open */
  sessions: Set<Session>;
  /** those that read too slowly for ephemeral frames */
  slow: Set<Session>;
  users: LocalUsers;
}

interface Observed extends Sockets {
  config: ChatConfig;
  delivery: Delivery;
  edge: WsEdge;
  /** when the drain closes the sockets that are left; 0: no drain */
  drain: { endsMs: number };
}

function observe(registry: Registry, { config, topics, sessions, slow, users, delivery, edge, drain }: Observed): void {
  observeChat(registry, {
    ...{ connections: () => sessions.size, connectionsMax: () => config.maxConnections, drainEnds: () => drain.endsMs / 1000 },
    ...{ queued: () => delivery.writer.queued, queuedMax: () => config.messageQueueMax },
    redisConnected: () => Number(delivery.redisConnected()),
    rooms: () => delivery.rooms.size,
    users: () => users.count,
    slow: () => slow.size,
    framesReceived: () => edge.framesReceived,
    framesSent: () => topics.framesSent,
  });
}

interface EdgeParts extends ChatOptions, Sockets {
  health: Health;
  incarnation: string;
  context: ChatContext;
}

function createEdge({ config, health, log, instance, incarnation, topics, sessions, slow, context }: EdgeParts): WsEdge {
  return new WsEdge({
    ...{ health, log, topics, sessions, slow, incarnation, context },
    admission: new AdmissionControl({
      maxConnections: config.maxConnections,
      maxPerAddress: config.maxConnectionsPerIp,
      allowedOrigins: new Set(config.allowedOrigins),
      allowMissingOrigin: config.allowMissingOrigin,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
    }),
    healthAnswer: () => ({
      ...{ status: health.draining ? 'draining' : 'ok', service: 'chat' },
      ...{ instance, version: VERSION, connections: sessions.size },
    }),
  });
}
