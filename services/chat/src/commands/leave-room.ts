// `leave_room`: this socket only; the membership stays.
import type { ChatContext } from '../context.ts';
import { JoinInProgress, type Session } from '../sockets/session.ts';

/** Takes the socket out of a room; a join that is under way notices by itself. */
export function leave(context: ChatContext, session: Session, roomId: string): void {
  const place = session.room(roomId);
  session.deleteRoom(roomId);
  if (!place || place instanceof JoinInProgress) return;
  session.unsubscribe(roomId);
  context.rooms.release(place);
  if (session.identity) context.typing.stop(roomId, session.identity.userId);
}
