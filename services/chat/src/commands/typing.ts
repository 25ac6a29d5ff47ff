// `typing`: a hint for those who look at the room. What is too much is dropped without a word.
import type { TypingFrame } from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import { JoinInProgress, type Session } from '../sockets/session.ts';
import { sendError } from './answers.ts';

export function typing(context: ChatContext, session: Session, { room_id, is_typing }: TypingFrame): void {
  const { identity } = session;
  if (!identity) return;
  const { userId, name } = identity;
  const publish = () => context.typing.set({ roomId: room_id, userId, userName: name }, is_typing, Date.now());
  const place = session.room(room_id);
  if (place && !(place instanceof JoinInProgress)) return publish();
  // Members may type without having joined; whether this is one only the database knows.
  context.memberships.load(room_id, userId).then(
    (membership) => (membership ? publish() : sendError(context, session, 'not_a_member', { room_id })),
    () => {},
  );
}
