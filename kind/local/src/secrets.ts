// Generated secrets of a data folder, kept in secrets.json (0600) so that a second start finds its own databases and tokens.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface Secrets {
  mysqlPassword: string;
  mysqlRootPassword: string;
  postgresPassword: string;
  redisPassword: string;
  statsUser: string;
  statsPassword: string;
  /** JWKS with the private key that signs tokens. */
  jwtPrivateKeys: { keys: object[] };
  apiKey: string;
  /** Of the demo users. */
  userPassword: string;
}

export function loadSecrets(file: string): Secrets {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  const secrets = generateSecrets();
  // Renamed when complete: half a file would lock the databases.
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secrets;
}

function generateSecrets(): Secrets {
  const password = () => randomBytes(18).toString('base64url');
  return {
    mysqlPassword: password(),
    mysqlRootPassword: password(),
    postgresPassword: password(),
    redisPassword: password(),
    statsUser: 'parley',
    statsPassword: password(),
    jwtPrivateKeys: { keys: [signingKey()] },
    apiKey: `pk_${randomBytes(4).toString('hex')}_${randomBytes(32).toString('base64url')}`,
    userPassword: password(),
  };
}

function signingKey(): object {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { ...jwk, kid: `local-${randomBytes(4).toString('hex')}`, alg: 'EdDSA', use: 'sig' };
}
