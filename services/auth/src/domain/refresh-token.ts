// Refresh tokens: 256 bits, kept as SHA-256 only. The first of a login is random. Each further one follows from the one before and a
// random salt, so that a rotation whose answer was lost can be answered again, although the token itself is stored nowhere.
import { createHash, createHmac } from 'node:crypto';

export const REFRESH_TOKEN_BYTES = 32;
/** For so long after its use a token may come again: the answer was lost. Later it was stolen. */
export const GRACE_MS = 10_000;

export function refreshTokenOf(bytes: Buffer): string {
  return `rt_${bytes.toString('base64url')}`;
}

export function hashOfRefreshToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Without the token the salt is worth nothing, and without the salt the token. */
export function successorOf(token: string, salt: Buffer): string {
  return refreshTokenOf(createHmac('sha256', token).update(salt).digest());
}
