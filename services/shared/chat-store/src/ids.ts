// Ids: UUIDv7 in BINARY(16), lower-case text on the wire.
import { randomFillSync } from 'node:crypto';
import { parse, stringify, v7, validate } from 'uuid';

/** Random bytes of one id. */
const RANDOM_BYTES = 16;
/** One call of the random source serves this many ids: each call costs more than an id. */
const pool = new Uint8Array(256 * RANDOM_BYTES);
let used = pool.length;

export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return v7({ random: pool.subarray(used - RANDOM_BYTES, used) });
}
export const isId = (text: string): boolean => validate(text);
export const toBinary = (id: string): Buffer => Buffer.from(parse(id));
export const fromBinary = (id: Buffer): string => stringify(id);
