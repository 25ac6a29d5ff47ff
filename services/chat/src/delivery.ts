// Wires what brings entries and events to sockets: fan-out, rooms, the writer, read markers. Part of the composition root.
import {
  connectWriter,
  markRead,
  MessageWriter,
  readActiveMembers,
  ROOM_UPDATES_CHANNEL,
  RoomUpdates,
  type MysqlLimits,
  type MysqlPool,
} from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import type { Resources } from '@parley/kit/run';
import { REVOCATIONS_CHANNEL } from '@parley/kit/tokens';
import { encodeEvents, roomChannel } from '@parley/live';
import { RedisFanout } from './adapters/redis-fanout.ts';
import type { ChatMetrics } from './metrics.ts';
import type { PublishToRoom, RoomReader, Topics } from './ports.ts';
import { announceCommit, announceReadMarks, deliverRoomUpdates } from './rooms/announcements.ts';
import { ReadMarks } from './rooms/read-marks.ts';
import { receiveFanout } from './rooms/receive-fanout.ts';
import { RoomAudience } from './rooms/room-audience.ts';
import { RoomRegistry } from './rooms/room-registry.ts';
import type { Session } from './sockets/session.ts';
import type { LocalUsers } from './users/local-users.ts';
import { UserEvents } from './users/user-events.ts';

export interface DeliveryOptions {
  resources: Resources;
  databaseUrl: string;
  limits: MysqlLimits;
  /** bounds of what waits for a transaction */
  queue: { queueMax: number; waitMaxMs: number };
  redisUrl: string;
  pool: MysqlPool;
  redis: RedisClient;
  reader: RoomReader;
  instance: string;
  epoch: string;
  topics: Topics;
  users: LocalUsers;
  slow: ReadonlySet<Session>;
  metrics: ChatMetrics;
  log: Log;
  onNewEpoch: () => void;
  onRevocation: (text: string) => void;
}

export interface Delivery {
  rooms: RoomRegistry;
  userEvents: UserEvents;
  /** Entries of other instances arrive at once; else they are read from the database. */
  redisConnected: () => boolean;
  publishToRoom: PublishToRoom;
  updates: RoomUpdates;
  writer: MessageWriter;
  readMarks: ReadMarks;
  /** MySQL refused the last write for want of space, in its words; the next commit takes it back */
  databaseFull: () => string | undefined;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { resources, pool, users, log, instance, metrics } = options;
  let full: string | undefined;
  const fanout = resources.add('fan-out', new RedisFanout({ url: options.redisUrl, instance, log, publisher: options.redis }), (open) =>
    open.close(),
  );
  const audience = new RoomAudience({
    topics: options.topics,
    users,
    slow: options.slow,
    onEphemeralSkipped: () => metrics.ephemeralSkipped.inc(),
  });
  const rooms = resources.add(
    'rooms',
    new RoomRegistry({
      reader: options.reader,
      fanout,
      audience,
      log,
      epoch: options.epoch,
      onNewEpoch: options.onNewEpoch,
      onRepair: (entries) => metrics.repaired.inc(entries),
    }),
    (open) => open.close(),
  );
  const userEvents = new UserEvents({ users, fanout, instance });
  const publishToRoom: PublishToRoom = (roomId, frames, exceptions = {}) => {
    const encoded = frames.map((frame) => Buffer.from(JSON.stringify(frame)));
    if (rooms.get(roomId)) audience.publishEphemeral(roomId, encoded, exceptions.except_user);
    fanout.publish(roomChannel(roomId), encodeEvents({ from: instance, ...exceptions }, frames));
  };
  const updates = resources.add('room updates', createRoomUpdates(pool, { users, fanout, log }), (open) => open.close());
  const writer = resources.add(
    'writer',
    createWriter({ ...options, onSpace: (said) => (full = said) }, (batches) =>
      announceCommit({ rooms, fanout, updates, instance }, batches),
    ),
    (open) => open.close(),
  );
  const members = activeMembersOf(pool);
  const readMarks = resources.add(
    'read marks',
    new ReadMarks({
      write: (marks) => markRead(pool, marks),
      onMoved: (moved) => announceReadMarks({ userEvents, publishToRoom, members }, moved),
      log,
    }),
    (open) => open.close(),
  );
  fanout.deliverTo({
    onReceived: (channel, received) => receiveFanout({ rooms, audience, userEvents, log }, channel, received),
    onReconnect: () => void rooms.compareHeads().catch(() => {}),
    plain: new Map([
      [ROOM_UPDATES_CHANNEL, (text: string) => deliverRoomUpdates(users, text, log)],
      [REVOCATIONS_CHANNEL, options.onRevocation],
    ]),
  });
  return { rooms, userEvents, redisConnected: () => fanout.connected, publishToRoom, updates, writer, readMarks, databaseFull: () => full };
}

const activeMembersOf = (pool: MysqlPool) => (roomIds: readonly string[], limits: { max: number }) =>
  readActiveMembers(pool, roomIds, limits);

function createRoomUpdates(pool: MysqlPool, { users, fanout, log }: { users: LocalUsers; fanout: RedisFanout; log: Log }): RoomUpdates {
  return new RoomUpdates({
    members: activeMembersOf(pool),
    publish: (payload) => {
      deliverRoomUpdates(users, payload.toString(), log);
      fanout.publish(ROOM_UPDATES_CHANNEL, payload);
    },
    log,
  });
}

function createWriter(
  {
    databaseUrl,
    limits,
    queue,
    metrics,
    log,
    onSpace,
  }: Pick<DeliveryOptions, 'databaseUrl' | 'limits' | 'queue' | 'metrics' | 'log'> & { onSpace: (refusal: string | undefined) => void },
  onCommit: ConstructorParameters<typeof MessageWriter>[0]['onCommit'],
): MessageWriter {
  return new MessageWriter({
    connect: () => connectWriter(databaseUrl, limits),
    ...queue,
    onCommit,
    log,
    observe: (event) => {
      if ('failed' in event) {
        if (event.noSpace !== undefined) onSpace(event.noSpace);
        return metrics.commitFailures.inc({ failure: event.failed });
      }
      onSpace(undefined);
      metrics.commitSeconds.observe(event.seconds);
      metrics.commitMessages.observe(event.committed);
    },
  });
}
