// Remembers verified tokens: a signature costs 0.15 ms of CPU, and the same token comes with every reconnect and every REST call.
// Whether a token was revoked is asked elsewhere, each time.
import { createHash } from 'node:crypto';
import { AppError } from '../process/errors.ts';
import type { Identity, TokenVerifier } from './token.ts';

/** As long as the keys are cached: a token of a withdrawn key is not accepted for longer than without this cache. */
const KEEP_MS = 600_000;
/** About 400 bytes each. */
const TOKENS_MAX = 20_000;

interface Remembered {
  identity: Identity;
  untilMs: number;
}

/** The same answers as `verifier`; only good ones are remembered, and none beyond its token's end. */
export function rememberingVerifier(verifier: TokenVerifier, { now = Date.now, max = TOKENS_MAX } = {}): TokenVerifier {
  const known = new Map<string, Remembered>();
  return {
    async verify(token) {
      // The hash, so that no token stays in memory; one byte a character.
      const key = createHash('sha256').update(token).digest().toString('latin1');
      const remembered = known.get(key);
      if (remembered) {
        if (remembered.identity.expiresAtMs <= now()) throw new AppError('token_expired');
        if (remembered.untilMs > now()) return remembered.identity;
      }
      const identity = await verifier.verify(token);
      known.delete(key);
      known.set(key, { identity, untilMs: now() + KEEP_MS });
      if (known.size > max) known.delete(known.keys().next().value as string);
      return identity;
    },
  };
}
