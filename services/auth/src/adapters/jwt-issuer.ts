// The TokenIssuer port: signed access tokens. Verifiers need only the published keys.
import { TOKEN_ALGORITHM } from '@parley/kit/tokens';
import { SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import type { TokenIssuer } from '../ports.ts';
import type { KeyRing } from './key-ring.ts';

export function jwtIssuer(options: { keys: KeyRing; issuer: string; audience: string; lifeSeconds: number }): TokenIssuer {
  const { keys, issuer, audience, lifeSeconds } = options;
  return {
    issue({ id, name, email }, { family, at }) {
      const { kid, privateKey } = keys.current;
      const seconds = Math.floor(at.getTime() / 1000);
      return new SignJWT({ user_id: id, name, email, sid: family })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid, typ: 'JWT' })
        .setSubject(String(id))
        .setIssuer(issuer)
        .setAudience(audience)
        .setJti(uuidv7())
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + lifeSeconds)
        .sign(privateKey);
    },
  };
}
