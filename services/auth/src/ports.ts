// What auth needs from outside: where accounts, keys and sessions are kept, how passwords are hashed and tokens signed.
import type { Revocation } from '@parley/kit/tokens';
import type { ApiKeyRecord, GivenApiKey, Scope } from './domain/api-key.ts';

export interface Account {
  id: number;
  name: string;
  email: string;
}

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

export interface Registration {
  name: string;
  email: string;
  passwordHash: string;
  /** Id of the event chat.user.registered. */
  eventId: string;
  family: string;
  refresh: NewRefreshToken;
}

export interface PasswordChange {
  userId: number;
  /** The one that was checked. */
  version: number;
  passwordHash: string;
  /** The login that stays. */
  family: string;
  at: Date;
}

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

export interface Revocations {
  /** In the order of their positions. */
  inForce(page: { at: Date; after: number; limit: number }): Promise<{ position: number; revocation: Revocation }[]>;
}

export interface Announcer {
  /** Tells all replicas. Never fails: what could not be told is told again later. */
  announce(revocations: readonly Revocation[]): Promise<void>;
  /** Makes others forget that there was nobody with this id. Never fails: what they remember ends by itself within seconds. */
  registered(userId: number): Promise<void>;
}

export interface StoredApiKey {
  id: number;
  prefix: string;
  name: string;
  scopes: string[];
  createdAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export interface ApiKeys {
  find(prefix: string): Promise<ApiKeyRecord | undefined>;
  markUsed(id: number, at: Date): Promise<void>;
  /** Makes this the one bootstrap key. */
  putBootstrap(key: GivenApiKey, at: Date): Promise<void>;
  /** undefined: the prefix is taken. */
  create(key: GivenApiKey, about: { name: string; scopes: readonly Scope[]; at: Date }): Promise<StoredApiKey | undefined>;
  /** In the order of their ids, beyond `after`. */
  list(page: { after: number; limit: number }): Promise<StoredApiKey[]>;
  /** Throws AppError conflict for the bootstrap key. false: there is no such key. A revoked one stays as it is. */
  revoke(id: number, at: Date): Promise<boolean>;
}

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes the same time without a hash, and is false then. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
  /** Whether it was made with other parameters than today's. */
  isOutdated(hash: string): boolean;
}

export interface TokenIssuer {
  /** The token says which login it came from, so that the login can be revoked. */
  issue(account: Account, of: { family: string; at: Date }): Promise<string>;
}
