// Composition root of the chat service: opens everything in order and closes it in reverse.
import { connectWriter, createMysqlPool, encodeEntryFrame, MessageWriter, readEpoch, type RoomBatch } from '@parley/chat-store';
import {
  createMetrics,
  createTokenVerifier,
  encodeFanout,
  Health,
  Resources,
  startAdmin,
  untilReachable,
  type Log,
  type Running,
} from '@parley/kit';
import { FRAME_OVERHEAD_BYTES, METADATA_MAX_BYTES } from '@parley/protocol';
import { mysqlReader } from './adapters/mysql-reader.ts';
import { RedisFanout } from './adapters/redis-fanout.ts';
import type { ChatConfig } from './config.ts';
import type { ChatContext } from './context.ts';
import { drainSockets } from './edge/drain.ts';
import { sweep } from './edge/sweep.ts';
import { WsEdge } from './edge/ws.ts';
import { createChatMetrics } from './metrics.ts';
import { RoomRegistry } from './room-registry.ts';
import { version } from './version.ts';

/** A character may take six bytes of JSON (\u0000); a frame with the largest allowed content must pass. */
const JSON_ESCAPE_FACTOR = 6;
/** A replica whose writer cannot reach the database for this long reports not ready. */
const UNREADY_AFTER_MS = 5000;

export interface ChatService extends Running {
  port: number;
  adminPort: number;
}

export async function startChat({ config, log, instance }: { config: ChatConfig; log: Log; instance: string }): Promise<ChatService> {
  const resources = new Resources(log);
  const health = new Health();
  const { registry } = createMetrics({ service: 'chat', instance });
  try {
    const admin = resources.add('admin', await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry }), (server) =>
      server.close(),
    );
    const pool = resources.add('mysql', createMysqlPool(config.databaseUrl), (open) => open.end());
    const epoch = await untilReachable('MySQL', () => readEpoch(pool), { timeoutMs: config.startupTimeoutMs, log });

    const edge: WsEdge = new WsEdge({
      health,
      log,
      maxConnections: config.maxConnections,
      allowedOrigins: new Set(config.allowedOrigins),
      healthAnswer: () => ({
        status: health.draining ? 'draining' : 'ok',
        service: 'chat',
        instance,
        version,
        connections: edge.sessions.size,
      }),
      context: () => context,
    });
    const fanout = resources.add(
      'redis',
      new RedisFanout({
        url: config.redisUrl,
        instance,
        log,
        onEntries: (roomId, first, frames) => rooms.accept(roomId, first, frames),
        onReconnect: () => void rooms.compareHeads().catch(() => {}),
      }),
      (open) => open.close(),
    );
    const reader = mysqlReader(pool);
    const onRepair = (entries: number) => metrics.repaired.inc(entries);
    const rooms: RoomRegistry = resources.add('rooms', new RoomRegistry({ reader, fanout, topics: edge, log, onRepair }), (open) =>
      open.close(),
    );
    const writer: MessageWriter = resources.add(
      'writer',
      new MessageWriter({
        connect: () => connectWriter(config.databaseUrl),
        onCommit: (batches) => announce(batches, { rooms, fanout, instance }),
        log,
        observe: (event) => {
          if ('failed' in event) return metrics.commitFailures.inc({ failure: event.failed });
          metrics.commitSeconds.observe(event.seconds);
          metrics.commitMessages.observe(event.committed);
        },
      }),
      (open) => open.close(),
    );
    const metrics = createChatMetrics(registry, {
      connections: () => edge.sessions.size,
      rooms: () => rooms.size,
      queued: () => writer.queued,
    });
    const context: ChatContext = {
      instance,
      epoch,
      messageMaxBytes: config.messageMaxBytes,
      frameMaxBytes: config.messageMaxBytes * JSON_ESCAPE_FACTOR + METADATA_MAX_BYTES * 2 + FRAME_OVERHEAD_BYTES,
      verifier: createTokenVerifier({ jwksUrl: config.jwksUrl, issuer: config.jwtIssuer, audience: config.jwtAudience }),
      reader,
      rooms,
      writer,
      metrics,
      log,
    };
    await untilReachable('MySQL', () => writer.open(), { timeoutMs: config.startupTimeoutMs, log });
    rooms.start();
    const ticker = setInterval(everySecond({ edge, writer, health }), 1000);
    resources.add('ticker', ticker, clearInterval);
    const port = await edge.listen(config.serverHost, config.serverPort);
    resources.add('sockets', edge, (open) => drain(open, health, config));
    health.started();
    log.info({ port, adminPort: admin.port, epoch }, 'ready');
    return { port, adminPort: admin.port, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

/** In one turn: this replica's sockets through the room's sequencer, then one payload per room for the others. */
function announce(
  batches: readonly RoomBatch[],
  { rooms, fanout, instance }: { rooms: RoomRegistry; fanout: RedisFanout; instance: string },
): void {
  for (const { roomId, fromSeq, entries } of batches) {
    const frames = entries.map(encodeEntryFrame);
    rooms.accept(roomId, fromSeq, frames);
    fanout.publish(roomId, encodeFanout({ seq: fromSeq, from: instance }, frames));
  }
}

function everySecond({ edge, writer, health }: { edge: WsEdge; writer: MessageWriter; health: Health }): () => void {
  let failingSince: number | undefined;
  return () => {
    const now = Date.now();
    sweep(edge.sessions, now);
    const reason = writer.unavailableReason;
    failingSince = reason === undefined ? undefined : (failingSince ?? now);
    const unready = failingSince !== undefined && now - failingSince >= UNREADY_AFTER_MS;
    health.set('mysql', unready ? reason : undefined);
  };
}

/** Not ready, stop accepting, tell the sockets, close them; what was accepted is committed by the writer's own close after this. */
async function drain(edge: WsEdge, health: Health, config: ChatConfig): Promise<void> {
  health.drain();
  edge.stopAccepting();
  await drainSockets(edge.sessions, { windowMs: config.drainWindowMs, ratePercentPerSecond: config.drainRatePercentPerSecond });
  edge.close();
}
