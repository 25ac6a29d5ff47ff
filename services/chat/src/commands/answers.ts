// What a socket is told when something is wrong: an `error`, a limit, and the close of those who go on regardless.
import {
  closeCodes,
  errorCodes,
  FLOOD_REFUSALS_PER_MINUTE,
  STRIKES_PER_MINUTE,
  type ErrorCodeName,
  type ErrorFrame,
} from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import { strike } from '../domain/strikes.ts';
import type { Session } from '../sockets/session.ts';

/** What an `error` frame says beside its code. */
export type ErrorDetails = Partial<Pick<ErrorFrame, 'retry_after_ms' | 'room_id' | 'client_msg_id' | 'details' | 'message'>>;
type Telling = Pick<ChatContext, 'metrics'>;

/** Sends an `error` frame; the text is the table's unless `message` is given. */
export function sendError({ metrics }: Telling, session: Session, code: ErrorCodeName, extra: ErrorDetails = {}): void {
  metrics.errors.inc({ code });
  const { title, retryable } = errorCodes[code];
  session.send({ type: 'error', code, message: title, retryable, ...extra });
}

/** Answers with what is wrong; too many of these close the socket. */
export function wrongFrame(context: Telling, session: Session, { path, message }: { path: string; message: string }): void {
  sendError(context, session, 'invalid_frame', { details: { path, message } });
  session.strikes = strike(session.strikes, Date.now());
  if (session.strikes.count >= STRIKES_PER_MINUTE) session.end(closeCodes.protocol);
}

export interface TooFast {
  event: 'message' | 'typing' | 'room_action';
  retryAfterMs: number;
  /** what the refused frame was about */
  about?: { room_id?: string; client_msg_id?: string };
}

/** A limit was met: nothing has happened, and the answer says how long to wait. A sign of typing is dropped without a word. */
export function tooFast({ metrics }: Telling, session: Session, { event, retryAfterMs, about }: TooFast): void {
  metrics.rateLimits.exceeded.inc({ event });
  if (event === 'typing') return;
  const seconds = Math.ceil(retryAfterMs / 100) / 10;
  const message = `Too fast: try again in ${seconds} s`;
  session.send({ type: 'rate_limit_exceeded', event_type: event, retry_after: seconds, message, ...about });
  // Who goes on regardless costs time that others need.
  session.refusals = strike(session.refusals, Date.now());
  if (session.refusals.count >= FLOOD_REFUSALS_PER_MINUTE) session.end(closeCodes.flooding);
}

/** The address has opened too many sockets. */
export function tooManyConnects({ metrics }: Telling, session: Session, retryAfterMs: number): void {
  metrics.rateLimits.exceeded.inc({ event: 'connect' });
  const seconds = Math.ceil(retryAfterMs / 100) / 10;
  session.send({ type: 'rate_limit_exceeded', event_type: 'connect', retry_after: seconds, message: 'Too many new connections' });
  session.end(closeCodes.flooding);
}
