// The small commands of a room: `leave_room` and `read`.
import type { LeaveRoomFrame, ReadFrame } from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import { JoinInProgress, type Session } from '../sockets/session.ts';
import { sendError } from './answers.ts';

/** `leave_room`: this socket only; the membership stays. */
export function leaveRoom(context: ChatContext, session: Session, { room_id }: LeaveRoomFrame): void {
  leave(context, session, room_id);
  session.send({ type: 'left', room_id });
}

/** Takes the socket out of a room; a join that is under way notices by itself. */
export function leave(context: ChatContext, session: Session, roomId: string): void {
  const place = session.room(roomId);
  session.deleteRoom(roomId);
  if (!place || place instanceof JoinInProgress) return;
  session.unsubscribe(roomId);
  place.release();
  if (session.identity) context.typing.stop(roomId, session.identity.userId);
}

/** `read`: moves the user's read marker forward; the user's other devices and, in small rooms, the other members hear of it. */
export function read(context: ChatContext, session: Session, { room_id, seq }: ReadFrame): void {
  const userId = session.identity?.userId ?? 0;
  context.readMarks.mark({ roomId: room_id, userId, seq }, session.id, (outcome) => {
    if (outcome === 'done') return;
    sendError(context, session, outcome, { room_id, ...(outcome === 'not_a_member' ? {} : { retry_after_ms: 1000 }) });
  });
}
