// The SHA-256 of a backup, taken while it passes by.
import { createHash, type Hash } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';

/** Passes everything on and adds it to the hash. */
export function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

/** In hex. */
export async function sumOf(body: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
