// Verification of access tokens. Issuer, audience and algorithms are fixed by the configuration; keys come from the JWKS and are cached.
import { readFileSync } from 'node:fs';
import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { AppError } from '../process/errors.ts';
import { readTrustedIssuers, remoteKeys, type TrustedIssuer } from './trusted-issuers.ts';

/** A verified user. */
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

/** Who a token says that its bearer is. Throws AppError invalid_token, token_expired or forbidden; unavailable without keys. */
export interface TokenVerifier {
  /** Throws AppError invalid_token, token_expired or unavailable (the keys cannot be had). */
  verify(token: string): Promise<Identity>;
}

/** The one algorithm of our own tokens. */
export const TOKEN_ALGORITHM = 'EdDSA';
/** Clocks of two machines may differ by this much, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** Where keys come from, and which issuer and audience a token must name. */
export interface VerifierOptions {
  jwksUrl: string;
  issuer: string;
  audience: string;
  /** TRUSTED_ISSUERS; empty: none but the own one */
  trustedIssuers?: string;
}

/** Throws ConfigError when the trusted issuers are wrong. */
export function createTokenVerifier({ jwksUrl, issuer, audience, trustedIssuers = '' }: VerifierOptions): TokenVerifier {
  const own = { issuer, audience };
  const ownVerifier = tokenVerifier(remoteKeys(jwksUrl), own);
  const trusted = readTrustedIssuers(trustedIssuers, { own, readFile: (path) => readFileSync(path) });
  if (trusted.length === 0) return ownVerifier;
  return verifierByIssuer(new Map([[issuer, ownVerifier], ...trusted.map((each) => [each.issuer, foreignVerifier(each)] as const)]));
}

/** The same from the variables of {@link tokenConfig}. */
export function configuredVerifier(config: {
  jwksUrl: string;
  jwtIssuer: string;
  jwtAudience: string;
  trustedIssuers: string;
}): TokenVerifier {
  const { jwksUrl, jwtIssuer: issuer, jwtAudience: audience, trustedIssuers } = config;
  return createTokenVerifier({ jwksUrl, issuer, audience, trustedIssuers });
}

/** For tokens of auth. */
export function tokenVerifier(keys: JWTVerifyGetKey, { issuer, audience }: { issuer: string; audience: string }): TokenVerifier {
  const verify = checkedPayload(keys, {
    issuer,
    audience,
    algorithms: [TOKEN_ALGORITHM],
    requiredClaims: ['exp', 'iat', 'jti', 'sub', 'user_id'],
  });
  return {
    async verify(token) {
      const payload = await verify(token);
      const userId = payload['user_id'];
      if (typeof userId !== 'number' || !Number.isSafeInteger(userId) || userId < 1) throw new AppError('invalid_token');
      const name = textClaim(payload, 'name') || `user ${userId}`;
      return identityOf({ userId, name }, payload, textClaim(payload, 'sid'));
    },
  };
}

/** A verifier of tokens of another issuer, whose users have ids of their own here. */
export function foreignVerifier({ key, userOf, issuer, audience, algorithms }: TrustedIssuer): TokenVerifier {
  const verify = checkedPayload(key, { issuer, audience, algorithms, requiredClaims: ['exp', 'iat'] });
  return {
    async verify(token) {
      const payload = await verify(token);
      // What such an issuer calls a session is none of auth, and must not be taken for one.
      return identityOf(userOf(payload), payload, '');
    },
  };
}

/** The issuer that a token names chooses the verifier, which then checks everything, the issuer too. */
function verifierByIssuer(verifiers: ReadonlyMap<string, TokenVerifier>): TokenVerifier {
  return {
    async verify(token) {
      let issuer: string | undefined;
      try {
        issuer = decodeJwt(token).iss;
      } catch (error) {
        throw asAppError(error);
      }
      const verifier = issuer === undefined ? undefined : verifiers.get(issuer);
      if (!verifier) throw new AppError('invalid_token');
      return verifier.verify(token);
    },
  };
}

interface Expected {
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  requiredClaims: string[];
}

function checkedPayload(keys: JWTVerifyGetKey, { algorithms, ...expected }: Expected): (token: string) => Promise<JWTPayload> {
  const options = { ...expected, algorithms: [...algorithms], clockTolerance: CLOCK_TOLERANCE_SECONDS };
  return async (token) => {
    try {
      return (await jwtVerify(token, keys, options)).payload;
    } catch (error) {
      throw asAppError(error);
    }
  };
}

const textClaim = (payload: JWTPayload, name: string): string => (typeof payload[name] === 'string' ? payload[name] : '');

/** One literal with every field: an object that grows by spreading takes twice the memory, and there is one for each socket. */
const identityOf = ({ userId, name }: { userId: number; name: string }, payload: JWTPayload, sid: string): Identity => ({
  userId,
  name,
  email: textClaim(payload, 'email'),
  jti: payload.jti ?? '',
  sid,
  issuedAtMs: (payload.iat ?? 0) * 1000,
  expiresAtMs: (payload.exp ?? 0) * 1000,
});

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof errors.JWTExpired) return new AppError('token_expired');
  const notTheCallersFault =
    error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || error.message.includes('HTTP response');
  if (notTheCallersFault)
    return new AppError('unavailable', 'The token cannot be checked at the moment', { retryAfterMs: 1000, cause: error });
  return new AppError('invalid_token', undefined, { cause: error });
}
