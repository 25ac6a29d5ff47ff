// What auth needs from outside: where accounts, keys and sessions are kept, how passwords are hashed and tokens signed.
import type { ApiKeyRecord, GivenApiKey } from './domain/api-key.ts';

export interface Account {
  id: number;
  name: string;
  email: string;
}

export interface StoredAccount extends Account {
  passwordHash: string;
  disabled: boolean;
}

/** The first or next refresh token of a family. */
export interface NewRefreshToken {
  hash: Buffer;
  at: Date;
  expiresAt: Date;
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

export interface Accounts {
  findByEmail(email: string): Promise<StoredAccount | undefined>;
  /** One transaction: the account, its event, its first session. undefined: the address is taken, however many come at once. */
  register(registration: Registration): Promise<Account | undefined>;
  /** Only if the hash is still the one that was checked. */
  replacePasswordHash(id: number, change: { from: string; to: string; at: Date }): Promise<void>;
}

/** Whose login it is, and which. */
export interface SessionOwner extends Account {
  family: string;
}

export interface Sessions {
  begin(userId: number, family: string, refresh: NewRefreshToken): Promise<void>;
  /** Marks the token used and stores the next one, or does nothing and returns undefined. At most one caller gets the account. */
  rotate(hash: Buffer, next: NewRefreshToken): Promise<SessionOwner | undefined>;
  /** Revokes the family of a token that was used before; undefined when there is nothing to revoke. */
  revokeReused(hash: Buffer, at: Date): Promise<{ family: string; userId: number } | undefined>;
}

export interface ApiKeys {
  find(prefix: string): Promise<ApiKeyRecord | undefined>;
  markUsed(id: number, at: Date): Promise<void>;
  /** Makes this the one bootstrap key. */
  putBootstrap(key: GivenApiKey, at: Date): Promise<void>;
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
