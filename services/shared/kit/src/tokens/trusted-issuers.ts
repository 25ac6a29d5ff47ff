// Tokens of other issuers that a company trusts: TRUSTED_ISSUERS, a JSON list. Each entry fixes issuer, audience and kind of key, so that a
// token can choose none of them. Who issues tokens says who somebody is: `userIdMin` keeps such users apart from those of auth.
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { ConfigError } from '../process/config.ts';
import { AppError, messageOf } from '../process/errors.ts';

const VARIABLE = 'TRUSTED_ISSUERS';
/** RFC 7518 §3.2: at least as long as the hash. */
const SECRET_BYTES_MIN = 32;
const NAME_MAX = 100;

const Entry = Type.Object(
  {
    issuer: Type.String({ minLength: 1 }),
    audience: Type.Optional(Type.String({ minLength: 1 })),
    jwksUrl: Type.Optional(Type.String({ pattern: '^https?://.+' })),
    hs256SecretFile: Type.Optional(Type.String({ minLength: 1 })),
    userIdMin: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    userIdClaim: Type.String({ minLength: 1, default: 'user_id' }),
    nameClaim: Type.String({ minLength: 1, default: 'name' }),
  },
  { additionalProperties: false },
);
type Entry = Static<typeof Entry>;
const check = TypeCompiler.Compile(Type.Array(Entry));

/** Another issuer whose tokens are accepted, as it was configured. */
export interface TrustedIssuer {
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  key: JWTVerifyGetKey;
  /** Throws AppError invalid_token: the claims say no user of this issuer. */
  userOf: (payload: JWTPayload) => { userId: number; name: string };
}

interface ReadOptions {
  own: { issuer: string; audience: string };
  readFile: (path: string) => Buffer;
}

/** An empty text means none. Throws ConfigError with everything that is wrong. */
export function readTrustedIssuers(text: string, { own, readFile }: ReadOptions): TrustedIssuer[] {
  if (text.trim() === '') return [];
  const problems: string[] = [];
  const entries = entriesOf(text);
  const taken = new Set([own.issuer]);
  const issuers = entries.map((entry, index) => {
    const problem = (reason: string) => void problems.push(`${VARIABLE}: entry ${index + 1}: ${reason}`);
    if (taken.has(entry.issuer)) problem('the issuer is there already, or is the own one (JWT_ISSUER)');
    taken.add(entry.issuer);
    return trustedIssuer(entry, { ownAudience: own.audience, readFile, problem });
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return issuers;
}

function entriesOf(text: string): Entry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ConfigError([`${VARIABLE} is wrong: it is not JSON`]);
  }
  const list = Array.isArray(value) ? value.map((each: unknown) => withDefaults(each)) : value;
  if (check.Check(list)) return list;
  throw new ConfigError([...check.Errors(list)].slice(0, 10).map(({ path, message }) => `${VARIABLE}${path} is wrong: ${message}`));
}

const withDefaults = (entry: unknown): unknown =>
  typeof entry === 'object' && entry !== null ? { userIdClaim: 'user_id', nameClaim: 'name', ...entry } : entry;

interface EntryContext {
  ownAudience: string;
  readFile: ReadOptions['readFile'];
  problem: (reason: string) => void;
}

function trustedIssuer(entry: Entry, { ownAudience, readFile, problem }: EntryContext): TrustedIssuer {
  const { issuer, audience = ownAudience, jwksUrl, hs256SecretFile } = entry;
  const common = { issuer, audience, userOf: (payload: JWTPayload) => userOf(payload, entry) };
  if ((jwksUrl === undefined) === (hs256SecretFile === undefined)) problem('expected either jwksUrl or hs256SecretFile');
  if (hs256SecretFile !== undefined) return { ...common, algorithms: ['HS256'], key: secretKey(hs256SecretFile, { readFile, problem }) };
  return { ...common, algorithms: ['EdDSA', 'ES256', 'RS256'], key: remoteKeys(jwksUrl ?? 'http://invalid') };
}

/** The key set of an issuer, fetched on first use, kept for 10 minutes and fetched anew for an unknown key id, at most every 10 s. */
export function remoteKeys(url: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), { cooldownDuration: 10_000, cacheMaxAge: 600_000, timeoutDuration: 3000 });
}

function secretKey(path: string, { readFile, problem }: Pick<EntryContext, 'readFile' | 'problem'>): JWTVerifyGetKey {
  let secret: Uint8Array = new Uint8Array(SECRET_BYTES_MIN);
  try {
    // A file that an editor wrote ends with a line break, which is not meant.
    secret = new TextEncoder().encode(readFile(path).toString('utf8').trim());
    if (secret.length < SECRET_BYTES_MIN) problem(`the secret in ${path} has less than ${SECRET_BYTES_MIN} bytes`);
  } catch (error) {
    problem(`cannot read ${path}: ${messageOf(error)}`);
  }
  return () => Promise.resolve(secret);
}

function userOf(payload: JWTPayload, { userIdClaim, nameClaim, userIdMin }: Entry): { userId: number; name: string } {
  const [userId, name] = [payload[userIdClaim], payload[nameClaim]];
  if (typeof userId !== 'number' || !Number.isSafeInteger(userId) || userId < userIdMin) throw new AppError('invalid_token');
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_MAX || /\p{Cc}/u.test(name)) throw new AppError('invalid_token');
  return { userId, name };
}
