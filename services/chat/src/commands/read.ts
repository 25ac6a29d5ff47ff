// `read`: moves the user's read marker forward; the user's other devices and, in small rooms, the other members hear of it.
import type { ReadFrame } from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import type { Session } from '../sockets/session.ts';
import { sendError } from './send-error.ts';

export function read(context: ChatContext, session: Session, { room_id, seq }: ReadFrame): void {
  const userId = session.identity?.userId ?? 0;
  context.readMarks.mark({ roomId: room_id, userId, seq }, session.id, (outcome) => {
    if (outcome === 'done') return;
    sendError(context, session, outcome, { room_id, ...(outcome === 'not_a_member' ? {} : { retry_after_ms: 1000 }) });
  });
}
