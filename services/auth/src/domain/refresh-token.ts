// Refresh tokens: 256 random bits, kept as SHA-256 only.
import { createHash } from 'node:crypto';

export const REFRESH_TOKEN_BYTES = 32;

export function refreshTokenOf(random: Buffer): string {
  return `rt_${random.toString('base64url')}`;
}

export function hashOfRefreshToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
