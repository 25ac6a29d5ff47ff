// The MessageLog port: the same writer as in the chat service, so that messages by REST and by socket are one order and one fan-out.
import {
  connectWriter,
  MessageWriter,
  mysqlError,
  newId,
  readRange,
  type AppendResult,
  type MysqlLimits,
  type MysqlPool,
  type RoomBatch,
  type RoomUpdates,
  type Stored,
} from '@parley/chat-store';
import { AppError, messageOf, type Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { traced } from '@parley/kit/tracing';
import { newsOf } from '@parley/live/commit';
import type { Entry } from '@parley/protocol';
import { shortName } from '../domain/system-texts.ts';
import type { MessageLog, NewLogMessage } from '../ports.ts';

const RETRY_AFTER_MS = 1000;

export interface CommitAnnouncement {
  redis: RedisClient;
  updates: Pick<RoomUpdates, 'add'>;
  instance: string;
  log: Log;
}

/** In one turn after the commit, before the answers. Replicas read what they were not told of. */
export function announceBatches({ redis, updates, instance, log }: CommitAnnouncement, batches: readonly RoomBatch[]): void {
  for (const batch of batches) {
    const { channel, payload, grown } = newsOf(batch, instance);
    traced('publish', { bytes: payload.length }, () => redis.publish(channel, payload), { kind: 'producer' }).catch((error: unknown) =>
      log.warn({ room_id: batch.roomId, reason: messageOf(error) }, 'committed messages were not announced'),
    );
    updates.add(grown);
  }
}

export interface LogWriterOptions extends CommitAnnouncement {
  databaseUrl: string;
  limits: MysqlLimits;
  onFailure: (failure: string) => void;
}

export function createLogWriter(options: LogWriterOptions): MessageWriter {
  return new MessageWriter({
    connect: () => connectWriter(options.databaseUrl, options.limits),
    onCommit: (batches) => announceBatches(options, batches),
    log: options.log,
    observe: (event) => {
      if ('failed' in event) options.onFailure(event.failed);
    },
  });
}

export interface MessageLogOptions {
  writer: MessageWriter;
  mysql: MysqlPool;
  onStored: (duplicate: boolean) => void;
}

export function messageLog({ writer, mysql, onStored }: MessageLogOptions): MessageLog {
  return {
    async append(message) {
      const id = newId();
      const result = await submit(writer, id, message);
      if (!result.ok) throw new AppError(result.code, undefined, result.code === 'unavailable' ? { retryAfterMs: RETRY_AFTER_MS } : {});
      const { stored, duplicate } = result;
      onStored(duplicate);
      return { entry: duplicate ? await readStored(mysql, message.roomId, stored) : entryOf(message, stored), duplicate };
    },
  };
}

function submit(writer: MessageWriter, id: string, message: NewLogMessage): Promise<AppendResult> {
  const { roomId, sender, content, messageType, metadata, clientMsgId } = message;
  return new Promise((resolve, reject) => {
    const outcome = writer.submit({
      message: { ...{ id, roomId, content, messageType, metadata, clientMsgId }, senderId: sender.id, senderName: shortName(sender.name) },
      settle: resolve,
    });
    if (!outcome.ok) reject(new AppError(outcome.code, undefined, { retryAfterMs: outcome.retryAfterMs }));
  });
}

function entryOf(message: NewLogMessage, { id, seq, createdAt }: Stored): Entry {
  return {
    id,
    room_id: message.roomId,
    seq,
    kind: 'message',
    sender_id: message.sender.id,
    sender_name: shortName(message.sender.name),
    content: message.content,
    message_type: message.messageType,
    metadata: message.metadata,
    created_at: createdAt,
    ...(message.clientMsgId === undefined ? {} : { client_msg_id: message.clientMsgId }),
  };
}

/** What was stored under this client id before may differ from what was sent now. */
async function readStored(pool: MysqlPool, roomId: string, { seq }: Stored): Promise<Entry> {
  try {
    const [entry] = await readRange(pool, roomId, seq, seq);
    if (!entry) throw new Error(`the log has no entry ${seq}`);
    return entry;
  } catch (error) {
    throw mysqlError(error);
  }
}
