// Whether a frame may run, as a value: nothing has happened yet but that a token of a bucket was taken.
import {
  FREE_JOINS_MS,
  PENDING_BYTES_MAX,
  PENDING_FRAMES_MAX,
  type ClientFrame,
  type ErrorCodeName,
  type JoinRoomFrame,
} from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import type { Verdict } from '../limits/rate-budgets.ts';
import type { ReceivedFrame, Session } from '../sockets/session.ts';
import type { ErrorDetails, TooFast } from './answers.ts';

/** Joins of rooms that are not the user's, after which the free ones end. */
const FREE_FAILURES_MAX = 10;

/** Why a frame does not run. */
export type Refusal = { kind: 'too fast'; limit: TooFast } | { kind: 'error'; code: ErrorCodeName; details: ErrorDetails; ends: boolean };

/** `run` it · `wait` for the token of the socket · a refusal · a promise: the limiter has to be asked, in the order of the frames. */
export type Admission = 'run' | 'wait' | Refusal | Promise<'run' | Refusal>;

/** Synchronous for whoever keeps to the limits; never throws. */
export function admit(context: ChatContext, session: Session, { frame, bytes }: ReceivedFrame): Admission {
  if (session.state === 'pending') return admitPending(session, frame, bytes);
  const { limits } = context;
  const user = String(session.identity?.userId ?? 0);
  switch (frame.type) {
    case 'message': {
      const { room_id, client_msg_id, content } = frame;
      const about = client_msg_id === undefined ? { room_id } : { room_id, client_msg_id };
      if (Buffer.byteLength(content) > context.messageMaxBytes) {
        const message = `content has more than ${context.messageMaxBytes} bytes`;
        return { kind: 'error', code: 'message_too_large', details: { ...about, message }, ends: false };
      }
      return under(limits.message.spend(user), { event: 'message', about });
    }
    case 'typing':
      return under(limits.typing.spend(user), { event: 'typing' });
    case 'join_room':
    case 'leave_room':
    case 'read': {
      const isFree = frame.type === 'join_room' && isFreeJoin(session, frame);
      const verdict = isFree ? limits.roomAction.pass(user) : limits.roomAction.spend(user);
      return under(verdict, { event: 'room_action', about: { room_id: frame.room_id } });
    }
    case 'ping':
    case 'auth':
      return 'run';
  }
}

/** Before the token is verified only `auth` runs; the rest waits, bounded, and is never lost. */
function admitPending(session: Session, frame: ClientFrame, bytes: number): Admission {
  if (frame.type === 'auth' && !session.verifying) return 'run';
  if (session.queued.length < PENDING_FRAMES_MAX && session.queuedBytes + bytes <= PENDING_BYTES_MAX) return 'wait';
  return { kind: 'error', code: 'unauthorized', details: { message: 'Too many frames before authentication' }, ends: true };
}

/** After a reconnect a client joins all its rooms at once: these joins are free, so that a resume is never refused. */
function isFreeJoin(session: Session, { room_id }: JoinRoomFrame): boolean {
  return Date.now() - session.openedAtMs < FREE_JOINS_MS && !session.room(room_id) && session.freeJoinsFailed < FREE_FAILURES_MAX;
}

function under(verdict: Verdict | Promise<Verdict>, limit: Omit<TooFast, 'retryAfterMs'>): Admission {
  if (verdict === 'go') return 'run';
  if (verdict instanceof Promise) return verdict.then((later) => decided(later, limit));
  return decided(verdict, limit);
}

function decided(verdict: Verdict, limit: Omit<TooFast, 'retryAfterMs'>): 'run' | Refusal {
  return verdict === 'go' ? 'run' : { kind: 'too fast', limit: { ...limit, ...verdict } };
}
