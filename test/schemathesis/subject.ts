// What Schemathesis calls: auth, core, worker and the gateway in front of them, on real databases, with limits that no run reaches.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { authConfig, startAuth, userMigrations } from '@parley/auth';
import { chatMigrations, connectMysql, mysqlMigrations } from '@parley/chat-store';
import { coreConfig, startCore } from '@parley/core';
import { gatewayConfig, startGateway } from '@parley/gateway';
import { createLog, loadConfig } from '@parley/kit/process';
import { createPostgres, migrate, postgresMigrations } from '@parley/kit/sql';
import type { AuthAnswer, Room } from '@parley/protocol';
import { startWorker, workerConfig } from '@parley/worker';
import { startServers } from '../helpers/servers.ts';

export type ServiceName = 'gateway' | 'auth' | 'core' | 'worker';

export interface Subject {
  urls: Record<ServiceName, string>;
  apiKey: string;
  /** Somebody new, logged in. */
  token(): Promise<string>;
  /** The id of a group that the owner of the token has just made. */
  room(token: string): Promise<string>;
  stop(): Promise<void>;
}

const log = createLog({ service: 'schemathesis', instance: 'test', level: 'error' });
const NEVER = '100000';

export async function startSubject(): Promise<Subject> {
  const servers = await startServers(['mysql', 'postgres', 'redis']);
  const closing: (() => Promise<void>)[] = [() => servers.stop()];
  const started = <T extends { close(): Promise<void> }>(service: T): T => {
    closing.push(() => service.close());
    return service;
  };
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    await prepareDatabases(servers.mysql.url, servers.postgres.url);
    const common = { SERVER_HOST: '127.0.0.1', SERVER_PORT: '0', ADMIN_HOST: '127.0.0.1', ADMIN_PORT: '0', REDIS_URL: servers.redis.url };
    const databases = { DATABASE_URL: servers.mysql.url, USERS_DATABASE_URL: servers.postgres.url };
    const instance = 'test';
    const apiKey = `pk_${randomBytes(4).toString('hex')}_${randomBytes(32).toString('base64url')}`;
    const authEnv = {
      ...{ ...common, DATABASE_URL: servers.postgres.url, JWT_PRIVATE_KEYS: privateKeys(), BOOTSTRAP_API_KEY: apiKey },
      ...{ AUTH_ATTEMPTS_PER_MINUTE: NEVER, ACCESS_TOKEN_SECONDS: '7200', PASSWORD_HASHES_WAITING: '10000' },
    };
    const auth = started(await startAuth({ config: loadConfig(authConfig, authEnv, noFile), log, instance }));
    const at = ({ port }: { port: number }) => `http://127.0.0.1:${port}`;
    const tokens = { ...common, JWKS_URL: `${at(auth)}/.well-known/jwks.json` };
    const coreEnv = { ...tokens, ...databases, RATE_MESSAGE_BURST: NEVER, RATE_MESSAGE_PER_SECOND: NEVER };
    const core = started(await startCore({ config: loadConfig(coreConfig, coreEnv, noFile), log, instance }));
    const worker = started(await startWorker({ config: loadConfig(workerConfig, { ...common, ...databases }, noFile), log, instance }));
    const gatewayEnv = {
      ...{ ...tokens, AUTH_URL: at(auth), CORE_URL: at(core), WORKER_URL: at(worker) },
      ...{ RATE_REST_BURST: NEVER, RATE_REST_PER_SECOND: NEVER },
    };
    const gateway = started(await startGateway({ config: loadConfig(gatewayConfig, gatewayEnv, noFile), log, instance }));
    const urls = { gateway: at(gateway), auth: at(auth), core: at(core), worker: at(worker) };
    return { urls, apiKey, token: () => register(urls.auth, apiKey), room: (token) => makeRoom(urls.core, token), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepareDatabases(mysqlUrl: string, postgresUrl: string): Promise<void> {
  const mysql = await connectMysql(mysqlUrl, { multipleStatements: true });
  await migrate(mysqlMigrations(mysql), chatMigrations(), log);
  await mysql.end();
  const postgres = createPostgres(postgresUrl, { log });
  const client = await postgres.connect();
  await migrate(postgresMigrations(client), userMigrations(), log);
  client.release();
  await postgres.end();
}

let people = 0;
async function register(authUrl: string, apiKey: string): Promise<string> {
  const answer = await fetch(`${authUrl}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': apiKey },
    body: JSON.stringify({ name: 'Ada', email: `ada${++people}@example.org`, password: randomBytes(12).toString('hex') }),
  });
  if (answer.status !== 201) throw new Error(`register answers ${answer.status}`);
  return ((await answer.json()) as AuthAnswer).token;
}

async function makeRoom(coreUrl: string, token: string): Promise<string> {
  const answer = await fetch(`${coreUrl}/api/rooms`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ room_type: 'group', name: 'Engines', member_ids: [] }),
  });
  if (answer.status !== 201) throw new Error(`POST /api/rooms answers ${answer.status}`);
  return ((await answer.json()) as Room).id;
}

function privateKeys(): string {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return JSON.stringify({ keys: [{ ...jwk, kid: 'test', alg: 'EdDSA', use: 'sig' }] });
}

const noFile = () => '';
