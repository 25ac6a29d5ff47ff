// One way to tell a socket that something is wrong.
import { errorCodes, type ErrorCodeName, type ErrorFrame } from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import type { Session } from '../sockets/session.ts';

type Extra = Partial<Pick<ErrorFrame, 'retry_after_ms' | 'room_id' | 'client_msg_id' | 'details' | 'message'>>;

/** Sends an `error` frame; the text is the table's unless `message` is given. */
export function sendError({ metrics }: ChatContext, session: Session, code: ErrorCodeName, extra: Extra = {}): void {
  metrics.errors.inc({ code });
  const { title, retryable } = errorCodes[code];
  session.send({ type: 'error', code, message: title, retryable, ...extra });
}
