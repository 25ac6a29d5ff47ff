// The token of a socket: verified once at the start, or again by a fresh `auth` frame while the socket lives.
import { closeCodes } from '@parley/protocol';
import { toAppError } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import type { Identity } from '@parley/kit/tokens';
import { traced } from '@parley/kit/tracing';
import type { ChatContext } from '../context.ts';
import type { Credential, ReceivedFrame, Session } from '../sockets/session.ts';
import { sendError } from './answers.ts';

export const HEARTBEAT_MS = 30_000;
const NOTHING: readonly ReceivedFrame[] = [];

/**
 * Verifies a token or ticket. A pending socket is welcomed, and the frames that have waited for that are returned, to be run; a live one keeps
 * its user and gets the new expiry. A wrong token closes a pending socket with 4401; a live one keeps the token it has. Never rejects.
 */
export async function authenticate(context: ChatContext, session: Session, credential: Credential): Promise<readonly ReceivedFrame[]> {
  session.verifying = true;
  const name = session.state === 'pending' ? 'upgrade' : 'new token';
  const attributes = { 'parley.session_id': session.id, 'parley.credential': credential.kind };
  const more = { kind: 'server', caller: credential.caller } as const;
  try {
    return await traced(name, attributes, () => verify(context, session, credential), more);
  } catch (error) {
    if (session.state === 'closed') return NOTHING;
    const { code, message } = toAppError(error);
    sendError(context, session, code === 'internal' ? 'unavailable' : code, code === 'forbidden' ? { message } : {});
    if (session.state === 'pending') session.end(closeFor(code));
    return NOTHING;
  } finally {
    session.verifying = false;
  }
}

async function verify(context: ChatContext, session: Session, credential: Credential): Promise<readonly ReceivedFrame[]> {
  const identity = await identify(context, credential);
  if (session.state === 'closed') return NOTHING;
  if (session.identity && session.identity.userId !== identity.userId) {
    sendError(context, session, 'invalid_token', { message: 'The token belongs to another user' });
    return NOTHING;
  }
  // The verifier's object itself: it is kept there too, and sockets are many.
  session.identity = identity;
  session.warnedOfExpiry = false;
  return session.state === 'pending' ? open(context, session, identity) : NOTHING;
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
async function open(context: ChatContext, session: Session, identity: Identity): Promise<readonly ReceivedFrame[]> {
  const { users, userEvents, presence, caps } = context;
  const { userId, name } = identity;
  if (users.add(userId, session)) {
    presence.connected(userId, name);
    await userEvents.listen(userId);
  } else {
    await userEvents.listening(userId);
  }
  // Closed meanwhile: the close handler has taken it out of `users` already.
  if (session.state !== 'pending') return NOTHING;
  void caps.opened(userId, session);
  session.state = 'open';
  welcome(context, session, userId);
  return session.takeQueued();
}

function welcome(context: ChatContext, session: Session, userId: number): void {
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
