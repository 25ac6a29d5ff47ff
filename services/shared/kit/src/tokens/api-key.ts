// The form of API keys and how a given one is compared with what is kept. The prefix finds the row; it is not secret.
import { createHash, timingSafeEqual } from 'node:crypto';

/** Of a whole key; a longer secret part than ours may be given by hand. */
export const API_KEY_PATTERN = '^pk_[0-9a-f]{8}_[A-Za-z0-9_-]{43,128}$';
const FORM = new RegExp(API_KEY_PATTERN);
const PREFIX_END = 'pk_'.length + 8;
/** Compared with when there is no such prefix: both cases do the same work. */
const NO_HASH = Buffer.alloc(32);

/** Random bytes of the prefix. */
export const API_KEY_PREFIX_BYTES = 4;
/** Random bytes of the secret part. */
export const API_KEY_SECRET_BYTES = 32;
/** What is kept of a key: SHA-256 of the whole, and what it may be used for. */
export interface ApiKeyRecord {
  hash: Buffer;
  scopes: readonly string[];
}

/** A key that was sent, as far as it may be kept: `hash` is SHA-256 of the whole. */
export interface GivenApiKey {
  prefix: string;
  hash: Buffer;
}

/** The text of a new key, from random bytes. */
export function apiKeyOf(prefix: Buffer, secret: Buffer): string {
  return `pk_${prefix.toString('hex')}_${secret.toString('base64url')}`;
}

/** undefined for what has not the form of a key. The key itself goes no further than this. */
export function parseApiKey(given: string | undefined): GivenApiKey | undefined {
  if (given === undefined || !FORM.test(given)) return undefined;
  return { prefix: given.slice(0, PREFIX_END), hash: createHash('sha256').update(given).digest() };
}

/** What who sends no valid key is told. */
export const SEND_API_KEY = 'Send a valid key in the header X-API-Key';

/** Compares in constant time, and does the same work when there is no record. */
export function isSameKey<R extends ApiKeyRecord>(given: GivenApiKey, record: R | undefined): record is R {
  const equal = timingSafeEqual(given.hash, record?.hash.length === NO_HASH.length ? record.hash : NO_HASH);
  return equal && record !== undefined;
}
