// Verification of access tokens with fixed algorithm, issuer and audience; keys come from the JWKS and are cached.
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { AppError } from './errors.ts';

export interface Identity {
  userId: number;
  name: string;
  email: string;
  /** token id, for revocation */
  jti: string;
  /** login that the token came from: tokens refreshed from each other share it; empty for tokens of foreign issuers */
  sid: string;
  /** when the token was made, milliseconds since 1970 */
  issuedAtMs: number;
  /** end of the token's life, milliseconds since 1970 */
  expiresAtMs: number;
}

export interface TokenVerifier {
  /** Throws AppError invalid_token, token_expired or unavailable (the keys cannot be had). */
  verify(token: string): Promise<Identity>;
}

export const TOKEN_ALGORITHM = 'EdDSA';
/** Clocks of two machines may differ by this much, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** The JWKS is fetched on first use, kept for 10 minutes and fetched anew for an unknown key id, at most every 10 s. */
export function createTokenVerifier(options: { jwksUrl: string; issuer: string; audience: string }): TokenVerifier {
  const keys = createRemoteJWKSet(new URL(options.jwksUrl), { cooldownDuration: 10_000, cacheMaxAge: 600_000, timeoutDuration: 3000 });
  return tokenVerifier(keys, options);
}

export function tokenVerifier(keys: JWTVerifyGetKey, { issuer, audience }: { issuer: string; audience: string }): TokenVerifier {
  return {
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          algorithms: [TOKEN_ALGORITHM],
          issuer,
          audience,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          requiredClaims: ['exp', 'iat', 'jti', 'sub', 'user_id'],
        });
        const userId = payload['user_id'];
        if (typeof userId !== 'number' || !Number.isSafeInteger(userId) || userId < 1) throw new AppError('invalid_token');
        const claim = (name: string) => (typeof payload[name] === 'string' ? payload[name] : '');
        return {
          userId,
          name: claim('name') || `user ${userId}`,
          email: claim('email'),
          jti: payload.jti ?? '',
          sid: claim('sid'),
          issuedAtMs: (payload.iat ?? 0) * 1000,
          expiresAtMs: (payload.exp ?? 0) * 1000,
        };
      } catch (error) {
        throw asAppError(error);
      }
    },
  };
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof errors.JWTExpired) return new AppError('token_expired');
  const notTheCallersFault =
    error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || error.message.includes('HTTP response');
  if (notTheCallersFault)
    return new AppError('unavailable', 'The token cannot be checked at the moment', { retryAfterMs: 1000, cause: error });
  return new AppError('invalid_token', undefined, { cause: error });
}
