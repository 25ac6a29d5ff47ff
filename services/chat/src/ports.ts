// What chat needs from outside: the database's readers, the way to other replicas, the way to the sockets.
import type { Entry } from '@parley/protocol';
import type { Membership } from '@parley/chat-store';
import type { Identity } from '@parley/kit/tokens';
import type { FanoutHeader } from '@parley/live';

/** The database as the only truth about a room. Every call may throw when the database is away. */
export interface RoomReader {
  /** in the order of the pairs; undefined: not an active member, or no such room */
  memberships(pairs: readonly { roomId: string; userId: number }[]): Promise<(Membership | undefined)[]>;
  /** entries after `afterSeq`, ascending, at most `limit` */
  entriesAfter(roomId: string, afterSeq: number, limit: number): Promise<Entry[]>;
  heads(roomIds: readonly string[]): Promise<Map<string, number>>;
  epoch(): Promise<string>;
}

/** Name of a channel of Redis. */
export type Channel = string;

/** Hints between replicas. Losing one costs time, never a message. */
export interface Fanout {
  /** false while nothing arrives from other replicas */
  readonly connected: boolean;
  /** Resolves when the subscription stands; at once when it cannot be made now (it is made later by itself). */
  subscribe(channel: Channel): Promise<void>;
  unsubscribe(channel: Channel): void;
  publish(channel: Channel, payload: Buffer): void;
}

/** Something another replica has published. */
export interface Received {
  header: FanoutHeader;
  frames: readonly Buffer[];
}

/** Native fan-out to the sockets that are subscribed to a topic. */
export interface Topics {
  publish(roomId: string, frame: Buffer): void;
}

/** One-time tickets of browsers. */
export interface Tickets {
  take(id: string): Promise<Identity | undefined>;
}

/** Ephemeral frames for the joined sockets of a room on every replica. */
export type PublishToRoom = (roomId: string, frames: readonly object[], options?: Pick<FanoutHeader, 'except_user'>) => void;
