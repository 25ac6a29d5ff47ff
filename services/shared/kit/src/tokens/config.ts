// Settings of a service that verifies tokens.
import { Type } from '@sinclair/typebox';
import { httpUrl, text } from '../settings/shapes.ts';

/** Variables JWKS_URL, JWT_ISSUER, JWT_AUDIENCE and TRUSTED_ISSUERS. */
export const tokenConfig = {
  jwksUrl: httpUrl('where the public keys of the auth service are served'),
  jwtIssuer: text('parley', 'expected iss claim'),
  jwtAudience: text('parley', 'expected aud claim'),
  trustedIssuers: Type.String({
    default: '',
    description: 'other issuers of tokens, JSON: [{"issuer", "jwksUrl" or "hs256SecretFile", "userIdMin", ...}] (docs/foreign-tokens.md)',
  }),
};
