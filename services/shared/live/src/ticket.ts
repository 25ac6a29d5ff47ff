// Tickets: a browser cannot send a header with a WebSocket, and a token in a URL ends up in logs. It asks for a ticket instead, which
// works once, soon, and for its user only.
import { randomBytes } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { AppError } from '@parley/kit/process';
import type { Identity } from '@parley/kit/tokens';

/** For how long a ticket can be used. */
export const TICKET_SECONDS = 30;
const ID_BYTES = 32;
const RETRY_AFTER_MS = 1000;

const TicketIdentity = Type.Object({
  userId: Type.Integer({ minimum: 1 }),
  name: Type.String(),
  email: Type.String(),
  jti: Type.String(),
  sid: Type.String(),
  issuedAtMs: Type.Integer(),
  expiresAtMs: Type.Integer(),
});
const check = TypeCompiler.Compile(TicketIdentity);

interface TicketRedis {
  set(key: string, value: string, unit: 'EX', seconds: number): Promise<unknown>;
  getdel(key: string): Promise<string | null>;
}

const keyOf = (id: string): string => `ticket:${id}`;

/** A new ticket for the owner of a verified token. Throws AppError unavailable when Redis is away: there is no other place that all replicas see. */
export async function createTicket(redis: TicketRedis, identity: Identity): Promise<{ ticket: string; expiresInSeconds: number }> {
  const ticket = randomBytes(ID_BYTES).toString('base64url');
  try {
    await redis.set(keyOf(ticket), JSON.stringify(identity), 'EX', TICKET_SECONDS);
  } catch (cause) {
    throw new AppError('unavailable', 'No tickets at the moment; connect with the token', { retryAfterMs: RETRY_AFTER_MS, cause });
  }
  return { ticket, expiresInSeconds: TICKET_SECONDS };
}

/** Whose ticket it is, once; undefined when it is unknown, used or too old. Throws when Redis is away. */
export async function takeTicket(redis: TicketRedis, ticket: string): Promise<Identity | undefined> {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(ticket)) return undefined;
  const text = await redis.getdel(keyOf(ticket));
  if (text === null) return undefined;
  const value: unknown = JSON.parse(text);
  return check.Check(value) ? value : undefined;
}
