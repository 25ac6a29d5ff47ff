// What notifications need from outside.
import type { Notification } from './notification.ts';

/** Who is in a room; rejects when the database is away. */
export interface RoomMembers {
  /** Active members of each room; 'many' above `max`. */
  of(roomIds: readonly string[], max: number): Promise<Map<string, number[] | 'many'>>;
}

/** Who is online, as Redis has it; rejects when it is away. */
export interface Presence {
  /** Those of them who have a socket somewhere. */
  online(userIds: readonly number[]): Promise<Set<number>>;
}

/** Which events were notified of already. */
export interface Notified {
  known(eventIds: readonly string[]): Promise<Set<string>>;
  remember(eventId: string): Promise<void>;
}

/** Where a notification goes. */
export interface NotificationSink {
  /** Throws when it has to be tried again, RecordRejected when it never will be taken. */
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}
