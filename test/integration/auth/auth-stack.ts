// Auth with a real PostgreSQL, for its suites.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { authConfig, startAuth, userMigrations } from '@parley/auth';
import { loadConfig, createLog } from '@parley/kit/process';
import { createPostgres, migrate, postgresMigrations } from '@parley/kit/sql';
import { authOperations, type AuthAnswer, type Problem } from '@parley/protocol';
import { declaredBy } from '../../helpers/declared-answers.ts';
import { startServers, type ServerSettings } from '../../helpers/servers.ts';

export const quiet = createLog({ service: 'test', instance: 'test', level: 'fatal' });

export const declared = declaredBy(authOperations);

export function newApiKey(): string {
  return `pk_${randomBytes(4).toString('hex')}_${randomBytes(32).toString('base64url')}`;
}

export function privateKeys(kid = 'k1'): string {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return JSON.stringify({ keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] });
}

/** What auth is started with; every test may change some of it. */
export function authEnv(databaseUrl: string, apiKey: string, changes: Record<string, string> = {}): Record<string, string> {
  return {
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: 'redis://127.0.0.1:1',
    JWT_PRIVATE_KEYS: privateKeys(),
    BOOTSTRAP_API_KEY: apiKey,
    TRUSTED_PROXIES: '127.0.0.1/32',
    ...changes,
  };
}

export interface Reply {
  status: number;
  body: AuthAnswer & Problem;
  headers: Headers;
}

export async function startAuthStack(changes: Record<string, string> = {}, settings: ServerSettings = {}) {
  const servers = await startServers(['postgres'], settings);
  const postgres = createPostgres(servers.postgres.url, { log: quiet });
  const client = await postgres.connect();
  await migrate(postgresMigrations(client), userMigrations(), quiet);
  client.release();
  const apiKey = newApiKey();
  const env = authEnv(servers.postgres.url, apiKey, changes);
  const auth = await startAuth({ config: loadConfig(authConfig, env, () => ''), log: quiet, instance: 'auth-test' });
  const url = `http://127.0.0.1:${auth.port}`;

  /** One POST; every call comes from another address unless told, so that the limit by address is met only where it is meant. */
  async function post(path: string, body: unknown, headers: Record<string, string | undefined> = {}): Promise<Reply> {
    const all = { 'content-type': 'application/json', 'x-api-key': apiKey, 'x-forwarded-for': anyAddress(), ...headers };
    const response = await fetch(`${url}/api/v1/auth/${path}`, {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    declared({
      method: 'POST',
      path: `/api/v1/auth/${path}`,
      status: response.status,
      type,
      body: text === '' ? undefined : JSON.parse(text),
    });
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Reply['body'], headers: response.headers };
  }
  return {
    servers,
    postgres,
    auth,
    apiKey,
    env,
    url,
    adminUrl: `http://127.0.0.1:${auth.adminPort}`,
    post,
    stop: async () => {
      await auth.close();
      await postgres.end();
      await servers.stop();
    },
  };
}

let addresses = 0;
export function anyAddress(): string {
  addresses++;
  return `203.0.${(addresses >> 8) % 256}.${addresses % 256}`;
}

let people = 0;
/** Somebody who is not registered yet. */
export function newPerson() {
  people++;
  return { name: `Person ${people}`, email: `person${people}@example.org`, password: `correct horse ${people}` };
}

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
