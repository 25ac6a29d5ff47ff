// Self-signed certificates for tests, by the openssl program: Node can read certificates but not make them.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes tls.crt and tls.key into the folder, for localhost. Returns their text. */
export function makeCertificate(dir: string, { days = 1, name = 'localhost' } = {}): { chain: string; key: string } {
  const [chain, key] = [join(dir, 'tls.crt'), join(dir, 'tls.key')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days)].concat([
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name},IP:127.0.0.1`,
      '-keyout',
      key,
      '-out',
      chain,
    ]),
    { stdio: 'pipe' },
  );
  // HAProxy of a test has an account of its own.
  chmodSync(key, 0o644);
  return { chain: readFileSync(chain, 'utf8'), key: readFileSync(key, 'utf8') };
}
