// `message`: into the writer's queue, and the ack after the commit.
import type { MessageFrame } from '@parley/protocol';
import { newId, type AppendResult } from '@parley/chat-store';
import type { ChatContext } from '../context.ts';
import type { Session } from '../sockets/session.ts';
import { sendError } from './answers.ts';

export function message(context: ChatContext, session: Session, frame: MessageFrame): void {
  const { identity } = session;
  if (!identity) return;
  const { room_id, client_msg_id } = frame;
  const about = { room_id, ...(client_msg_id === undefined ? {} : { client_msg_id }) };
  const outcome = context.writer.submit({
    message: {
      id: newId(),
      roomId: room_id,
      senderId: identity.userId,
      senderName: identity.name.slice(0, 120),
      content: frame.content,
      messageType: frame.message_type ?? 'text',
      metadata: frame.metadata ?? null,
      clientMsgId: client_msg_id,
    },
    settle: (result) => settle(context, session, about, result),
  });
  if (!outcome.ok) sendError(context, session, outcome.code, { ...about, retry_after_ms: outcome.retryAfterMs });
}

interface About {
  room_id: string;
  client_msg_id?: string;
}

function settle(context: ChatContext, session: Session, about: About, result: AppendResult): void {
  if (!result.ok) {
    sendError(context, session, result.code, { ...about, ...(result.code === 'unavailable' ? { retry_after_ms: 1000 } : {}) });
    return;
  }
  const { id, seq, createdAt } = result.stored;
  context.metrics.stored.inc({ duplicate: String(result.duplicate) });
  session.sendCorked({ type: 'ack', ...about, id, seq, created_at: createdAt, duplicate: result.duplicate });
  // After a commit of unknown outcome nobody was told of the entry: the room is behind its own ack. Read it.
  const feed = context.rooms.get(about.room_id);
  if (feed && feed.last < seq) feed.catchUp(seq).catch(() => {});
}
