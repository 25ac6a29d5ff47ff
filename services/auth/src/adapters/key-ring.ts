// The keys in use, which may be replaced while the process runs, and the verifier that needs no JWKS to be fetched.
import { AppError } from '@parley/kit/process';
import { tokenVerifier, type TokenVerifier } from '@parley/kit/tokens';
import { createLocalJWKSet } from 'jose';
import type { SigningKeys } from './signing-keys.ts';

export interface KeyRing {
  readonly current: SigningKeys;
  replace(keys: SigningKeys): void;
}

export function keyRing(first: SigningKeys): KeyRing {
  let current = first;
  return {
    get current() {
      return current;
    },
    replace(keys) {
      current = keys;
    },
  };
}

/** For tokens of this service itself; they name their login. */
export function ownTokenVerifier(ring: KeyRing, expected: { issuer: string; audience: string }): TokenVerifier {
  const verifier = tokenVerifier((header, token) => createLocalJWKSet({ keys: [...ring.current.published] })(header, token), expected);
  return {
    async verify(token) {
      const identity = await verifier.verify(token);
      if (identity.sid === '') throw new AppError('invalid_token', 'The token does not say which login it came from');
      return identity;
    },
  };
}
