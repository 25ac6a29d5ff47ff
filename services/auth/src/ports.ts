// What auth needs from outside: where accounts, keys and sessions are kept, how passwords are hashed and tokens signed.
import type { ApiKeyRecord, GivenApiKey, Revocation } from '@parley/kit/tokens';
import type { ApiKeyScope } from '@parley/protocol';

/** Somebody who may log in. */
export interface Account {
  id: number;
  name: string;
  email: string;
}

/** An account with what is needed to check a password. */
export interface StoredAccount extends Account {
  passwordHash: string;
  /** Goes up with each change of the password. */
  passwordVersion: number;
  disabled: boolean;
}

/** The first or next refresh token of a family. */
export interface NewRefreshToken {
  hash: Buffer;
  at: Date;
  expiresAt: Date;
  /** End of the access token that is handed out with it. */
  accessExpiresAt: Date;
}

/** One that follows from the token before it and this salt. */
export interface NextRefreshToken extends NewRefreshToken {
  salt: Buffer;
}

/** A new account with its event and its first login. */
export interface Registration {
  name: string;
  email: string;
  passwordHash: string;
  /** Id of the event chat.user.registered. */
  eventId: string;
  family: string;
  refresh: NewRefreshToken;
}

/** A new hash, and what must still be true when it is stored. */
export interface PasswordChange {
  userId: number;
  /** The one that was checked. */
  version: number;
  passwordHash: string;
  /** The login that stays. */
  family: string;
  at: Date;
}

/** Accounts as PostgreSQL has them. All reject with AppError unavailable when it is away. */
export interface Accounts {
  findByEmail(email: string): Promise<StoredAccount | undefined>;
  findById(id: number): Promise<StoredAccount | undefined>;
  /** One transaction: the account, its event, its first session. undefined: the address is taken, however many come at once. */
  register(registration: Registration): Promise<Account | undefined>;
  /** Only if the hash is still the one that was checked. */
  replacePasswordHash(id: number, change: { from: string; to: string; at: Date }): Promise<void>;
  /** One transaction with the end of all other logins. Throws AppError conflict or invalid_token when version or login are no longer so. */
  changePassword(change: PasswordChange): Promise<Revocation[]>;
  /** One transaction: the account, its event, the end of all logins for good. undefined: there is no such account, or it is disabled already. */
  disable(change: { userId: number; eventId: string; at: Date }): Promise<Revocation[] | undefined>;
}

/** Whose login it is, and which. */
export interface SessionOwner extends Account {
  family: string;
}

/** What the answer of a rotation is made again from. */
export interface RepeatedRotation {
  owner: SessionOwner;
  salt: Buffer;
}

/** Logins as families of refresh tokens, of which only hashes are kept; they fail as {@link Accounts} do. */
export interface Sessions {
  /** false: the password was changed or the account disabled since it was read. */
  begin(account: { userId: number; passwordVersion: number }, family: string, refresh: NewRefreshToken): Promise<boolean>;
  /** Marks the token used and stores the next one, or does nothing and returns undefined. At most one caller gets the account. */
  rotate(hash: Buffer, next: NextRefreshToken): Promise<SessionOwner | undefined>;
  /** The rotation of a token that was used after this time, while nobody has used its successor. */
  repeat(hash: Buffer, usedAfter: Date): Promise<RepeatedRotation | undefined>;
  /** Revokes the family of a token that was used before; undefined when there is nothing to revoke. */
  revokeReused(hash: Buffer, at: Date): Promise<{ family: string; userId: number; revocations: Revocation[] } | undefined>;
  /** Ends a login. Does nothing when it has ended. */
  end(family: string, at: Date): Promise<Revocation[]>;
}

/** Which tokens no longer count; fails as {@link Accounts} does. */
export interface Revocations {
  /** In the order of their positions. */
  inForce(page: { at: Date; after: number; limit: number }): Promise<{ position: number; revocation: Revocation }[]>;
}

/** Tells other processes of a change. */
export interface Announcer {
  /** Tells all replicas. Never fails: what could not be told is told again later. */
  announce(revocations: readonly Revocation[]): Promise<void>;
  /** Makes others forget that there was nobody with this id. Never fails: what they remember ends by itself within seconds. */
  registered(userId: number): Promise<void>;
}

/** An API key as it is listed: the prefix is no secret, the key itself is not kept. */
export interface StoredApiKey {
  id: number;
  prefix: string;
  name: string;
  scopes: string[];
  createdAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

/** A key that is in force, to compare a given one with. */
export interface UsedApiKey extends ApiKeyRecord {
  id: number;
  lastUsedAt: Date | null;
}

/** API keys as PostgreSQL has them; they fail as {@link Accounts} do. */
export interface ApiKeys {
  find(prefix: string): Promise<UsedApiKey | undefined>;
  markUsed(id: number, at: Date): Promise<void>;
  /** Makes this the one bootstrap key. */
  putBootstrap(key: GivenApiKey, at: Date): Promise<void>;
  /** undefined: the prefix is taken. */
  create(key: GivenApiKey, about: { name: string; scopes: readonly ApiKeyScope[]; at: Date }): Promise<StoredApiKey | undefined>;
  /** In the order of their ids, beyond `after`. */
  list(page: { after: number; limit: number }): Promise<StoredApiKey[]>;
  /** Throws AppError conflict for the bootstrap key. false: there is no such key. A revoked one stays as it is. */
  revoke(id: number, at: Date): Promise<boolean>;
}

/** Hashes of passwords (argon2id). `hash` and `verify` reject with AppError overloaded when too many wait. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes the same time without a hash, and is false then. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
  /** Whether it was made with other parameters than today's. */
  isOutdated(hash: string): boolean;
}

/** Signs access tokens. */
export interface TokenIssuer {
  /** The token says which login it came from, so that the login can be revoked. */
  issue(account: Account, of: { family: string; at: Date }): Promise<string>;
}
