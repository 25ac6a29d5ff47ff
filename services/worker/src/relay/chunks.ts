// Cuts records into produce requests that stay under the broker's limit.
import type { OutgoingRecord } from '../kafka/ports.ts';

/** A broker takes batches of up to 1,048,588 bytes a partition by default (message.max.bytes). All records may share one partition. */
export const CHUNK_BYTES_MAX = 900_000;
/** Key, headers and framing of one record. */
const RECORD_OVERHEAD_BYTES = 200;

/** In order; a record above the limit gets a chunk of its own. */
export function chunksOf(records: readonly OutgoingRecord[], bytesMax = CHUNK_BYTES_MAX): OutgoingRecord[][] {
  const chunks: OutgoingRecord[][] = [];
  let chunk: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = Buffer.byteLength(record.value) + RECORD_OVERHEAD_BYTES;
    if (chunk.length > 0 && bytes + size > bytesMax) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(record);
    bytes += size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
