// The TokenIssuer port: signed access tokens. Verifiers need only the published keys.
import { TOKEN_ALGORITHM } from '@parley/kit';
import { SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import type { TokenIssuer } from '../ports.ts';
import type { SigningKeys } from './signing-keys.ts';

export function jwtIssuer(options: { keys: SigningKeys; issuer: string; audience: string; lifeSeconds: number }): TokenIssuer {
  const { keys, issuer, audience, lifeSeconds } = options;
  return {
    issue({ id, name, email }, { family, at }) {
      const seconds = Math.floor(at.getTime() / 1000);
      return new SignJWT({ user_id: id, name, email, sid: family })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keys.kid, typ: 'JWT' })
        .setSubject(String(id))
        .setIssuer(issuer)
        .setAudience(audience)
        .setJti(uuidv7())
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + lifeSeconds)
        .sign(keys.privateKey);
    },
  };
}
