// A revocation closes the sockets that it means, on every replica.
import type { Revocation } from '@parley/kit/tokens';
import { closeCodes } from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import type { Session } from '../sockets/session.ts';
import { sendError } from './answers.ts';

type Revoking = Pick<ChatContext, 'revocations' | 'users' | 'metrics'>;

export function applyRevocation(context: Revoking, revocation: Revocation): void {
  if (!context.revocations.add(revocation)) return;
  for (const session of sessionsOf(context, revocation)) {
    const { identity } = session;
    if (session.state !== 'open' || !identity || context.revocations.find(identity) === undefined) continue;
    sendError(context, session, revocation.final ? 'forbidden' : 'invalid_token', { message: 'The token was revoked' });
    session.end(revocation.final ? closeCodes.forbidden : { ...closeCodes.auth, reason: 'token revoked' });
  }
}

function sessionsOf({ users }: Revoking, { kind, id }: Revocation): Session[] {
  if (kind === 'user') return [...users.of(Number(id))];
  // Only the user is known by name; a login or token means one of few sockets, and revocations are rare.
  return [...users].flatMap((userId) => [...users.of(userId)]);
}
