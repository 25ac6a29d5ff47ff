// Environment of the auth service.
import { commonConfig, secret, text, usersDatabaseUrl } from '@parley/kit/settings';
import { redisUrl } from '@parley/kit/redis';
import { Type, type Static } from '@sinclair/typebox';
import { API_KEY_PATTERN } from '@parley/kit/tokens';

const whole = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, maximum, description });

/** Environment of auth: a variable a property, with its default, bounds and text. */
export const authConfig = Type.Object({
  ...commonConfig(8081),
  databaseUrl: usersDatabaseUrl(),
  redisUrl: redisUrl('for limits that all replicas share'),
  jwtPrivateKeys: secret('JWKS with private Ed25519 keys; the first one signs, all are published without their private part'),
  jwtIssuer: text('parley', 'iss claim of the tokens'),
  jwtAudience: text('parley', 'aud claim of the tokens'),
  bootstrapApiKey: secret('first API key, pk_<8 hexadecimal digits>_<43 or more characters of base64url>', { pattern: API_KEY_PATTERN }),
  accessTokenSeconds: whole(900, 10, 86_400, 'life of an access token'),
  refreshTokenSeconds: whole(2_592_000, 60, 31_536_000, 'life of a refresh token; each refresh begins a new one'),
  authAttemptsPerMinute: whole(
    10,
    1,
    100_000,
    'registrations and logins from one address, and for one e-mail address: so many at once, and so many come back in a minute',
  ),
  passwordHashesAtOnce: whole(2, 1, 64, 'argon2 calls at a time; each takes 19 MiB and one thread of four'),
  passwordHashesWaiting: whole(64, 0, 10_000, 'argon2 calls that wait; beyond it the answer is overloaded'),
});
/** The environment of auth after it was read and checked. */
export type AuthConfig = Static<typeof authConfig>;
