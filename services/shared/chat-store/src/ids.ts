// Ids: UUIDv7 in BINARY(16), lower-case text on the wire.
import { randomFillSync } from 'node:crypto';
import { stringify, v7, validate } from 'uuid';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Random bytes of one id. */
const RANDOM_BYTES = 16;
/** One call of the random source serves this many ids: each call costs more than an id. */
const pool = new Uint8Array(256 * RANDOM_BYTES);
let used = pool.length;

/** A new UUID of version 7: ids that are made later sort later. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return v7({ random: pool.subarray(used - RANDOM_BYTES, used) });
}
/** Whether a text is a UUID. */
export const isId = (text: string): boolean => validate(text);
/** Of any version: a client may ask for a room that never was. Throws for what is no UUID. */
export function toBinary(id: string): Buffer {
  if (!UUID.test(id)) throw new TypeError('not a UUID');
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}
/** The text of an id of 16 bytes, as the database has it. */
export const fromBinary = (id: Buffer): string => stringify(id);
