// The token of a socket: verified once at the start, or again by a fresh `auth` frame while the socket lives.
import { closeCodes } from '@parley/protocol';
import { toAppError } from '@parley/kit';
import type { ChatContext } from '../context.ts';
import type { Session } from '../session.ts';
import { sendError } from './send-error.ts';

export const HEARTBEAT_MS = 30_000;

/**
 * Verifies `token`. A pending socket is welcomed and its queued frames run through `resume`; a live one keeps its user and gets the
 * new expiry. A wrong token closes a pending socket with 4401; a live one keeps the token it has.
 */
export async function authenticate(
  context: ChatContext,
  session: Session,
  token: string,
  resume: (frames: readonly string[]) => void,
): Promise<void> {
  session.verifying = true;
  try {
    const identity = await context.verifier.verify(token);
    if (session.state === 'closed') return;
    if (session.identity && session.identity.userId !== identity.userId) {
      sendError(context, session, 'invalid_token', { message: 'The token belongs to another user' });
      return;
    }
    session.identity = identity;
    session.warnedOfExpiry = false;
    if (session.state === 'pending') welcome(context, session, resume);
  } catch (error) {
    if (session.state === 'closed') return;
    const { code } = toAppError(error);
    sendError(context, session, code === 'internal' ? 'unavailable' : code);
    if (session.state === 'pending')
      session.end(code === 'invalid_token' || code === 'token_expired' ? closeCodes.auth : closeCodes.overloaded);
  } finally {
    session.verifying = false;
  }
}

function welcome(context: ChatContext, session: Session, resume: (frames: readonly string[]) => void): void {
  const queued = session.queued ?? [];
  session.state = 'open';
  session.queued = undefined;
  session.queuedBytes = 0;
  session.send({
    type: 'welcome',
    user_id: session.identity?.userId,
    session_id: session.id,
    server: context.instance,
    protocol: 'parley.v1',
    heartbeat_ms: HEARTBEAT_MS,
    max_message_bytes: context.messageMaxBytes,
    resume: true,
  });
  resume(queued);
}
