// What arrives from other replicas, by channel: entries into the room's order, ephemeral frames and user events straight to the sockets.
import type { Log } from '@parley/kit/process';
import { ROOM_CHANNEL_PREFIX, USER_CHANNEL_PREFIX } from '@parley/live';
import { systemEventOf, type Entry, type SystemEvent } from '@parley/protocol';
import type { Channel, Received } from '../ports.ts';
import type { UserEvents } from '../users/user-events.ts';
import type { RoomAudience } from './room-audience.ts';
import type { RoomRegistry } from './room-registry.ts';

export interface Receivers {
  rooms: RoomRegistry;
  audience: RoomAudience;
  userEvents: UserEvents;
  log: Log;
}

export function receiveFanout({ rooms, audience, userEvents, log }: Receivers, channel: Channel, { header, frames }: Received): void {
  if (channel.startsWith(USER_CHANNEL_PREFIX)) {
    const userId = Number(channel.slice(USER_CHANNEL_PREFIX.length));
    return userEvents.deliver(userId, header, frames);
  }
  const roomId = channel.slice(ROOM_CHANNEL_PREFIX.length);
  if (header.seq === 0) {
    if (rooms.get(roomId)) audience.publishEphemeral(roomId, frames, header.except_user);
    return;
  }
  const events = header.sys ? eventsOf(header.seq, frames, log) : undefined;
  rooms.accept(roomId, { first: header.seq, frames, ...(events ? { events } : {}) });
}

/** Only payloads with system entries are looked into; all others are passed on as they are. */
function eventsOf(first: number, frames: readonly Buffer[], log: Log): Map<number, SystemEvent> {
  const events = new Map<number, SystemEvent>();
  frames.forEach((frame, index) => {
    try {
      const event = systemEventOf(JSON.parse(frame.toString()) as Entry);
      if (event) events.set(first + index, event);
    } catch {
      log.warn({ seq: first + index }, 'a frame on Redis is not JSON');
    }
  });
  return events;
}
