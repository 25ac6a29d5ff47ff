// The Passwords port: argon2id in libuv's threads, so many at a time. Parameters: OWASP's first choice (19 MiB, 2 passes, 1 lane).
import { randomBytes } from 'node:crypto';
import { hash as argon2Hash, parseOptions, verify as argon2Verify } from '@node-rs/argon2';
import type { BoundedWork } from '../domain/bounded-work.ts';
import type { Passwords } from '../ports.ts';

/** argon2id is what the package makes when it is not told otherwise. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export async function argon2Passwords(work: BoundedWork): Promise<Passwords> {
  const hash = (password: string) => argon2Hash(bytesOf(password), PARAMETERS);
  // Nobody's password: what an unknown e-mail address is checked against, so that it takes as long as a known one.
  const nobody = await hash(randomBytes(32).toString('base64'));
  return {
    hash: (password) => work.run(() => hash(password)),
    async verify(stored, password) {
      const same = await work.run(() => argon2Verify(stored ?? nobody, bytesOf(password)));
      return same && stored !== undefined;
    },
    isOutdated,
  };
}

/** Whether a stored hash was made with other parameters than those of today. Throws when it is no hash of argon2. */
function isOutdated(stored: string): boolean {
  const made = parseOptions(stored);
  return (
    !stored.startsWith('$argon2id$') || Object.entries(PARAMETERS).some(([name, value]) => made[name as keyof typeof PARAMETERS] !== value)
  );
}

/** One form of a text that keyboards compose differently (NIST SP 800-63B, 5.1.1.2). */
function bytesOf(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC'));
}
