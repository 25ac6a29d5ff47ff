// One replica's rooms around a growing log: the real registry, feed, audience and join on a model of the database, of Redis and of
// sockets. Every answer, arrival and subscription waits for its turn.
import { encodeEntryFrame, newId, type Membership } from '@parley/chat-store';
import { createLog } from '@parley/kit/process';
import { roomChannel } from '@parley/live';
import type { Entry, JoinRoomFrame, SystemEvent } from '@parley/protocol';
import { join } from '../../../services/chat/src/commands/join-room.ts';
import { leave } from '../../../services/chat/src/commands/room-commands.ts';
import type { ChatContext } from '../../../services/chat/src/context.ts';
import { MembershipLoader } from '../../../services/chat/src/rooms/membership-loader.ts';
import { receiveFanout } from '../../../services/chat/src/rooms/receive-fanout.ts';
import { RoomAudience } from '../../../services/chat/src/rooms/room-audience.ts';
import { RoomRegistry } from '../../../services/chat/src/rooms/room-registry.ts';
import { Session } from '../../../services/chat/src/sockets/session.ts';
import { LocalUsers } from '../../../services/chat/src/users/local-users.ts';
import { ModelSocket } from './model-socket.ts';

export const ROOM = newId();
export const USERS = [1, 2, 3] as const;

const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });

/** About 40 and 60 frames of this world: a long replay takes a dozen turns. */
const PAGES = { bufferedMax: 6000, turnMax: 9000 };

const runAtOnce = (_: string, run: () => void) => run();

export interface WorldOptions {
  pause: (label: string) => Promise<unknown>;
  /** entries before anybody comes */
  head: number;
  /** true: the next read of the database fails */
  readFails: () => boolean;
  clock: () => number;
}

/** How a committed entry gets here. */
export interface Way {
  local: boolean;
  lost: boolean;
  twice: boolean;
}

export class RoomWorld {
  readonly log: Entry[] = [];
  readonly members = new Set<number>(USERS);
  /** what sockets have found wrong */
  readonly problems: Error[] = [];
  readonly rooms: RoomRegistry;
  readonly context: ChatContext;
  readonly #options: WorldOptions;
  readonly #users = new LocalUsers();
  readonly #sockets = new Set<ModelSocket>();
  readonly #audience: RoomAudience;
  #subscribed = false;
  #subscriptions: Promise<unknown> = Promise.resolve();

  constructor(options: WorldOptions) {
    this.#options = options;
    for (let count = 0; count < options.head; count++) this.#append();
    this.#audience = new RoomAudience({
      topics: { publish: (roomId, frame) => this.#sockets.forEach((socket) => socket.published(roomId, frame)) },
      ...{ users: this.#users, slow: new Set<Session>(), onEphemeralSkipped: () => {} },
    });
    const reader = {
      memberships: (pairs: readonly { userId: number }[]) => this.#read(() => pairs.map(({ userId }) => this.#membership(userId))),
      entriesAfter: (_: string, after: number, limit: number) => this.#read(() => this.log.slice(after, after + limit)),
      heads: () => this.#read(() => new Map([[ROOM, this.log.length]])),
      epoch: () => this.#read(() => 'epoch'),
    };
    const fanout = {
      connected: true,
      subscribe: () => this.#subscription(true),
      unsubscribe: () => void this.#subscription(false),
      publish: () => {},
    };
    this.rooms = new RoomRegistry({
      ...{ reader, fanout, log, audience: this.#audience, epoch: 'epoch', onNewEpoch: () => {}, now: options.clock },
    });
    const part: Pick<ChatContext, 'rooms' | 'memberships' | 'users' | 'log'> = {
      ...{ rooms: this.rooms, memberships: new MembershipLoader(reader), users: this.#users, log },
    };
    const nothing = {
      limits: { roomAction: { spend: runAtOnce, pass: runAtOnce } },
      presence: { ofRoom: () => Promise.resolve({ type: 'room_presence' }) },
      typing: { stop: () => {} },
      metrics: { errors: { inc: () => {} } },
    };
    this.context = { ...nothing, ...part } as unknown as ChatContext;
  }

  connect(userId: number): ModelSocket {
    const session = new Session({ id: newId(), address: 'local', credential: undefined, nowMs: Date.now(), pagedLimits: PAGES });
    const socket = new ModelSocket(session, userId, this);
    session.identity = { userId, name: `user ${userId}` } as NonNullable<Session['identity']>;
    session.state = 'open';
    this.#users.add(userId, session);
    this.#sockets.add(socket);
    return socket;
  }

  /** As the edge does it. */
  close(socket: ModelSocket): void {
    const { session } = socket;
    session.detach();
    this.#sockets.delete(socket);
    for (const roomId of session.roomIds()) leave(this.context, session, roomId);
    session.dropPaged();
    this.#users.remove(socket.userId, session);
  }

  join(socket: ModelSocket, afterSeq: number | undefined): void {
    const frame: JoinRoomFrame = { type: 'join_room', room_id: ROOM, ...(afterSeq === undefined ? {} : { after_seq: afterSeq }) };
    void join(this.context, socket.session, frame);
  }

  leave(socket: ModelSocket): void {
    leave(this.context, socket.session, ROOM);
  }

  commit(count: number, way: Way): void {
    this.#announce(
      Array.from({ length: count }, () => this.#append()),
      way,
    );
  }

  change(userId: number, way: Way): void {
    const active = !this.members.has(userId);
    if (active) this.members.add(userId);
    else this.members.delete(userId);
    const event: SystemEvent = { event: active ? 'member_joined' : 'member_removed', user_id: userId, user_name: `user ${userId}` };
    this.#announce([this.#append(event)], way);
  }

  /** Is the user a member once this entry counts? */
  isMemberAt(userId: number, seq: number): boolean {
    const last = this.log.slice(0, seq).findLast((entry) => entry.kind === 'system' && entry.metadata?.['user_id'] === userId);
    return last?.metadata?.['event'] !== 'member_removed';
  }

  /** A reader takes what was written, some time. */
  drainLater(drain: () => void): void {
    void this.#options.pause('drain').then(drain);
  }

  #append(event?: SystemEvent): Entry {
    const seq = this.log.length + 1;
    const entry: Entry = {
      ...{ id: `id-${seq}`, room_id: ROOM, seq, sender_id: 9, sender_name: 'n', content: `entry ${seq}`, created_at: '' },
      ...(event ? { kind: 'system', message_type: 'system', metadata: event } : { kind: 'message', message_type: 'text', metadata: null }),
    };
    this.log.push(entry);
    return entry;
  }

  #announce(entries: readonly Entry[], { local, lost, twice }: Way): void {
    const first = entries[0]?.seq ?? 0;
    const frames = entries.map(encodeEntryFrame);
    const isSystem = entries.some(({ kind }) => kind === 'system');
    // This replica's writer announces its own batches without Redis, some time after the commit; system entries are core's.
    if (local && !isSystem) return void this.#options.pause('own commit').then(() => this.rooms.accept(ROOM, { first, frames }));
    const header = { v: 1 as const, seq: first, n: frames.length, from: 'other', ...(isSystem ? { sys: true as const } : {}) };
    const arrive = () =>
      this.#options.pause('arrival').then(() => {
        const receivers = { rooms: this.rooms, audience: this.#audience, log } as Parameters<typeof receiveFanout>[0];
        receiveFanout(receivers, roomChannel(ROOM), { header, frames });
      });
    void this.#options.pause('publish').then(() => {
      if (lost || !this.#subscribed) return;
      void arrive();
      if (twice) void arrive();
    });
  }

  #membership(userId: number): Membership | undefined {
    if (!this.members.has(userId)) return undefined;
    const lastSeq = this.log.length;
    return { lastSeq, messageCount: lastSeq, memberVersion: 0, lastReadSeq: 0, lastReadCount: 0 };
  }

  /** The answer is what was true at some moment between the question and its arrival. */
  async #read<T>(answer: () => T): Promise<T> {
    await this.#options.pause('question');
    if (this.#options.readFails()) throw new Error('the database is away');
    const value = answer();
    await this.#options.pause('answer');
    return value;
  }

  #subscription(on: boolean): Promise<void> {
    const done = this.#subscriptions
      .then(() => this.#options.pause(on ? 'subscribe' : 'unsubscribe'))
      .then(() => {
        this.#subscribed = on;
        return this.#options.pause('subscribed');
      });
    this.#subscriptions = done;
    return done.then(() => {});
  }
}
