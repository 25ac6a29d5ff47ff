// Access tokens: who somebody is, and which tokens no longer count.
export {
  API_KEY_PATTERN,
  apiKeyOf,
  type ApiKeyRecord,
  type GivenApiKey,
  isSameKey,
  parseApiKey,
  API_KEY_PREFIX_BYTES,
  API_KEY_SECRET_BYTES,
  SEND_API_KEY,
} from './api-key.ts';
export { tokenConfig } from './config.ts';
export { type RevocationWatch, type RevocationWatchOptions, watchRevocations } from './revocation-watch.ts';
export {
  announceRevocation,
  parseRevocation,
  Revocation,
  RevocationList,
  REVOCATIONS_CHANNEL,
  REVOCATIONS_KEY,
  REVOCATIONS_MAX,
} from './revocation.ts';
export { RevocationFeed, type RevocationFeedOptions } from './revocation-feed.ts';
export { rememberingVerifier } from './token-cache.ts';
export {
  configuredVerifier,
  createTokenVerifier,
  foreignVerifier,
  type Identity,
  TOKEN_ALGORITHM,
  type TokenVerifier,
  tokenVerifier,
  type VerifierOptions,
} from './token.ts';
export { readTrustedIssuers, remoteKeys, type TrustedIssuer } from './trusted-issuers.ts';
