// The form of API keys and how a given one is compared with what is kept. The prefix finds the row; it is not secret.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKeyScope } from '@parley/protocol';

export const API_KEY_PATTERN = '^pk_[0-9a-f]{8}_[A-Za-z0-9_-]{43,128}$';
const FORM = new RegExp(API_KEY_PATTERN);
const PREFIX_END = 'pk_'.length + 8;
/** Compared with when there is no such prefix: both cases do the same work. */
const NO_HASH = Buffer.alloc(32);

/** Random bytes of the prefix and of the secret part. */
export const PREFIX_BYTES = 4;
export const SECRET_BYTES = 32;
/** What a key may be used for. */
export type Scope = ApiKeyScope;

export interface ApiKeyRecord {
  id: number;
  hash: Buffer;
  scopes: readonly string[];
  lastUsedAt: Date | null;
}

export interface GivenApiKey {
  prefix: string;
  hash: Buffer;
}

export function apiKeyOf(prefix: Buffer, secret: Buffer): string {
  return `pk_${prefix.toString('hex')}_${secret.toString('base64url')}`;
}

/** undefined for what has not the form of a key. The key itself goes no further than this. */
export function parseApiKey(given: string | undefined): GivenApiKey | undefined {
  if (given === undefined || !FORM.test(given)) return undefined;
  return { prefix: given.slice(0, PREFIX_END), hash: createHash('sha256').update(given).digest() };
}

export function isSameKey(given: GivenApiKey, record: ApiKeyRecord | undefined): record is ApiKeyRecord {
  const equal = timingSafeEqual(given.hash, record?.hash.length === NO_HASH.length ? record.hash : NO_HASH);
  return equal && record !== undefined;
}
