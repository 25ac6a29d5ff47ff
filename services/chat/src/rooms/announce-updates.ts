// `room_updated` to the members with sockets here that have not joined the room.
import { parseRoomUpdates, type RoomUpdate } from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import { JoinInProgress } from '../sockets/session.ts';
import type { LocalUsers } from '../users/local-users.ts';

export function deliverRoomUpdates(users: LocalUsers, text: string, log: Log): void {
  const updates = parseRoomUpdates(text);
  if (!updates) return log.warn({}, 'room updates on Redis are not in the known format');
  for (const update of updates) deliver(users, update);
}

function deliver(users: LocalUsers, { room_id, last_seq, last_message_at, members }: RoomUpdate): void {
  let frame: Buffer | undefined;
  for (const userId of members) {
    for (const session of users.of(userId)) {
      const place = session.room(room_id);
      if (session.state !== 'open' || (place && !(place instanceof JoinInProgress))) continue;
      frame ??= Buffer.from(JSON.stringify({ type: 'room_updated', room_id, last_seq, last_message_at }));
      session.sendFrames([frame]);
    }
  }
}
