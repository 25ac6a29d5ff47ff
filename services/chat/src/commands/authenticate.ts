// The token of a socket: verified once at the start, or again by a fresh `auth` frame while the socket lives.
import { closeCodes } from '@parley/protocol';
import { toAppError } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import type { Identity } from '@parley/kit/tokens';
import { traced } from '@parley/kit/tracing';
import type { ChatContext } from '../context.ts';
import type { Credential, Session } from '../sockets/session.ts';
import { sendError } from './send-error.ts';

export const HEARTBEAT_MS = 30_000;

/**
 * Verifies a token or ticket. A pending socket is welcomed and its queued frames run through `resume`; a live one keeps its user and
 * gets the new expiry. A wrong token closes a pending socket with 4401; a live one keeps the token it has.
 */
export async function authenticate(
  context: ChatContext,
  session: Session,
  credential: Credential,
  resume: (frames: readonly string[]) => void,
): Promise<void> {
  session.verifying = true;
  const name = session.state === 'pending' ? 'upgrade' : 'new token';
  const attributes = { 'parley.session_id': session.id, 'parley.credential': credential.kind };
  const more = { kind: 'server', caller: credential.caller } as const;
  try {
    await traced(name, attributes, () => admit(context, session, credential, resume), more);
  } catch (error) {
    if (session.state === 'closed') return;
    const { code, message } = toAppError(error);
    sendError(context, session, code === 'internal' ? 'unavailable' : code, code === 'forbidden' ? { message } : {});
    if (session.state === 'pending') session.end(closeFor(code));
  } finally {
    session.verifying = false;
  }
}

async function admit(
  context: ChatContext,
  session: Session,
  credential: Credential,
  resume: (frames: readonly string[]) => void,
): Promise<void> {
  const identity = await identify(context, credential);
  if (session.state === 'closed') return;
  if (session.identity && session.identity.userId !== identity.userId) {
    sendError(context, session, 'invalid_token', { message: 'The token belongs to another user' });
    return;
  }
  // The verifier's object itself: it is kept there too, and sockets are many.
  session.identity = identity;
  session.warnedOfExpiry = false;
  if (session.state === 'pending') await open(context, session, session.identity, resume);
}

async function identify({ verifier, tickets, revocations }: ChatContext, { kind, value }: Credential): Promise<Identity> {
  const identity = kind === 'token' ? await verifier.verify(value) : await tickets.take(value);
  if (!identity) throw new AppError('invalid_token', 'The ticket is unknown, used or expired');
  const revocation = revocations.find(identity);
  if (revocation) throw new AppError(revocation.final ? 'forbidden' : 'invalid_token', 'The token was revoked');
  return identity;
}

function closeFor(code: string): { code: number; reason: string } {
  if (code === 'forbidden') return closeCodes.forbidden;
  return code === 'invalid_token' || code === 'token_expired' ? closeCodes.auth : closeCodes.overloaded;
}

/** From here on events for the user arrive, so that what the client fetches after `welcome` leaves no hole. */
async function open(
  context: ChatContext,
  session: Session,
  identity: Identity,
  resume: (frames: readonly string[]) => void,
): Promise<void> {
  const { users, userEvents, presence, caps } = context;
  const { userId, name } = identity;
  if (users.add(userId, session)) {
    presence.connected(userId, name);
    await userEvents.listen(userId);
  } else {
    await userEvents.listening(userId);
  }
  // Closed meanwhile: the close handler has taken it out of `users` already.
  if (session.state !== 'pending') return;
  void caps.opened(userId, session);
  welcome(context, session, userId, resume);
}

function welcome(context: ChatContext, session: Session, userId: number, resume: (frames: readonly string[]) => void): void {
  const queued = session.queued ?? [];
  session.state = 'open';
  session.queued = undefined;
  session.queuedBytes = 0;
  session.send({
    type: 'welcome',
    user_id: userId,
    session_id: session.id,
    server: context.instance,
    protocol: 'parley.v1',
    heartbeat_ms: HEARTBEAT_MS,
    max_message_bytes: context.messageMaxBytes,
    resume: true,
  });
  resume(queued);
}

/** Takes the socket out of everything that knows its user. Called once, by the close handler. */
export function signOff({ users, userEvents, presence, caps }: ChatContext, session: Session): void {
  const { identity } = session;
  if (!identity) return;
  caps.closed(identity.userId, session);
  if (!users.remove(identity.userId, session)) return;
  userEvents.ignore(identity.userId);
  presence.disconnected(identity.userId);
}
