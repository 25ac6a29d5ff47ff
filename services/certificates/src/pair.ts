// A certificate with its key as HAProxy takes it. Pure: what is wrong with a pair is said before HAProxy sees it.
import { createPrivateKey, X509Certificate } from 'node:crypto';

export interface Pair {
  /** chain and key in one, without the empty lines that would end a command of the runtime API */
  pem: string;
  /** SHA-1 of the certificate in upper-case hex, as HAProxy shows it; for telling certificates apart, not for trust */
  fingerprint: string;
  expires: Date;
}

/** Throws with a sentence when the two do not belong together or cannot be read. */
export function pairOf(chain: string, key: string): Pair {
  const certificate = readable('tls.crt is not a certificate in PEM', () => new X509Certificate(chain));
  const privateKey = readable('tls.key is not a private key in PEM without a password', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error('tls.key does not belong to the first certificate of tls.crt');
  const lines = `${chain}\n${key}`.split('\n').map((line) => line.trim());
  return {
    pem: lines.filter((line) => line !== '').join('\n'),
    fingerprint: certificate.fingerprint.replaceAll(':', ''),
    expires: new Date(certificate.validTo),
  };
}

function readable<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${problem}: ${(error as Error).message}`, { cause: error });
  }
}

/** What `show ssl cert` says it uses; undefined: nothing, or another form. */
export const shownFingerprint = (answer: string): string | undefined => /^SHA1 FingerPrint:\s*([0-9A-F]{40})$/m.exec(answer)?.[1];
