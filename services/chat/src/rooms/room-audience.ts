// The joined sockets of a room on this replica: entries and what follows from system entries, and ephemeral frames with their exceptions.
import type { SystemEvent } from '@parley/protocol';
import { JoinInProgress, type Session } from '../sockets/session.ts';
import type { LocalUsers } from '../users/local-users.ts';
import type { Audience } from './room-feed.ts';
import type { Topics } from '../ports.ts';

export interface RoomAudienceOptions {
  topics: Topics;
  users: LocalUsers;
  /** sockets that read too slowly for ephemeral frames */
  slow: ReadonlySet<Session>;
  onEphemeralSkipped: () => void;
}

export class RoomAudience implements Audience {
  readonly #options: RoomAudienceOptions;

  constructor(options: RoomAudienceOptions) {
    this.#options = options;
  }

  publish(roomId: string, frame: Buffer): void {
    this.#options.topics.publish(roomId, frame);
  }

  /** From this place of the room's order on, who is no longer a member gets nothing: neither joined sockets nor joins under way. */
  beforeSystemEntry(roomId: string, event: SystemEvent, seq: number): void {
    if (event.event === 'member_left' || event.event === 'member_removed') {
      for (const session of this.#options.users.of(event.user_id)) this.#evict(session, roomId, { seq, frame: frameOf(roomId, event) });
    }
  }

  afterSystemEntry(roomId: string, event: SystemEvent, seq: number): void {
    const frame = frameOf(roomId, event);
    if (frame) this.publish(roomId, Buffer.from(JSON.stringify(frame)));
    if (event.event !== 'room_deleted') return;
    for (const userId of this.#options.users)
      for (const session of this.#options.users.of(userId)) this.#evict(session, roomId, { seq, frame: undefined });
  }

  /**
   * Frames that may be lost: not to sockets that read too slowly, not to the user whom they are about. The exceptions leave the topic
   * for this turn of the event loop, which costs nothing for everybody else.
   */
  publishEphemeral(roomId: string, frames: readonly Buffer[], exceptUser?: number): void {
    const { topics, users, slow, onEphemeralSkipped } = this.#options;
    const out: Session[] = [];
    for (const session of slow) {
      if (!isJoined(session, roomId)) continue;
      out.push(session);
      onEphemeralSkipped();
    }
    if (exceptUser !== undefined) {
      for (const session of users.of(exceptUser)) if (isJoined(session, roomId) && !slow.has(session)) out.push(session);
    }
    for (const session of out) session.unsubscribe(roomId);
    for (const frame of frames) topics.publish(roomId, frame);
    for (const session of out) session.subscribe(roomId);
  }

  #evict(session: Session, roomId: string, { seq, frame }: { seq: number; frame: object | undefined }): void {
    const place = session.room(roomId);
    if (!place) return;
    // The join decides: it may have been asked for after a later re-admission.
    if (place instanceof JoinInProgress) return void (place.endedAt = seq);
    session.deleteRoom(roomId);
    session.unsubscribe(roomId);
    place.release();
    if (frame) session.send(frame);
    session.send({ type: 'left', room_id: roomId });
  }
}

function isJoined(session: Session, roomId: string): boolean {
  const place = session.room(roomId);
  return session.state === 'open' && place !== undefined && !(place instanceof JoinInProgress);
}

/** What joined sockets are told of a system entry beside the entry itself. */
function frameOf(room_id: string, { event, user_id, user_name, by }: SystemEvent): object {
  const about = { room_id, user_id, user_name, ...(by === undefined ? {} : { by }) };
  switch (event) {
    case 'member_joined':
    case 'member_left':
    case 'member_removed':
      return { type: event, ...about };
    case 'member_role':
      return { type: 'room_changed', ...about, change: 'role' };
    case 'room_renamed':
      return { type: 'room_changed', ...about, change: 'name' };
    case 'room_deleted':
      return { type: 'room_changed', ...about, change: 'deleted' };
  }
}
