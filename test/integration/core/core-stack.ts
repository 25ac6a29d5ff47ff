// Core with real databases, for its suites: users 1 … 120 exist, user 120 is disabled.
import { connectMysql, createMysqlPool, chatMigrations, mysqlMigrations } from '@parley/chat-store';
import { startCore, coreConfig } from '@parley/core';
import { createLog, loadConfig } from '@parley/kit/process';
import { createPostgres, migrate } from '@parley/kit/sql';
import {
  coreOperations,
  type Entry,
  type Invitation,
  type InvitationList,
  type MarkReadAnswer,
  type MemberList,
  type MessageList,
  type Problem,
  type Room,
  type RoomList,
  type TicketAnswer,
  type User,
  type UserList,
} from '@parley/protocol';
import { declaredBy } from '../../helpers/declared-answers.ts';
import { startServers, type ServerSettings } from '../../helpers/servers.ts';
import { startTokenIssuer } from '../../helpers/tokens.ts';

export const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });
const declared = declaredBy(coreOperations);
export const DISABLED_USER = 120;

/** Everything an answer may hold; a test reads what it expects. */
export type Body = Room &
  RoomList &
  MessageList &
  Omit<MemberList, 'members'> &
  Invitation &
  InvitationList &
  Omit<User, 'id'> &
  UserList &
  MarkReadAnswer &
  TicketAnswer &
  Omit<Entry, 'metadata'> &
  Problem;
export interface Reply {
  status: number;
  /** {} for an answer without a body */
  body: Body;
  type: string;
  headers: Headers;
}

export interface Call {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Calls of a test come faster than a user's. */
const NO_LIMITS = { RATE_MESSAGE_BURST: '1000000', RATE_MESSAGE_PER_SECOND: '1000000' };

export async function startCoreStack(more: Record<string, string> = {}, settings: ServerSettings = {}) {
  const servers = await startServers(['mysql', 'postgres', 'redis'], settings);
  const issuer = await startTokenIssuer();
  const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
  await migrate(mysqlMigrations(connection), chatMigrations(), log);
  await connection.end();
  const mysql = createMysqlPool(servers.mysql.url, { max: 4 });
  const postgres = createPostgres(servers.postgres.url, { log });
  await postgres.query('CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, disabled_at timestamptz)');
  await postgres.query("INSERT INTO users SELECT n, 'name ' || n, 'u' || n || '@example.org' FROM generate_series(1, 120) n");
  await postgres.query('UPDATE users SET disabled_at = now() WHERE id = $1', [DISABLED_USER]);
  const env = {
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    DATABASE_URL: servers.mysql.url,
    USERS_DATABASE_URL: servers.postgres.url,
    REDIS_URL: servers.redis.url,
    JWKS_URL: issuer.jwksUrl,
    ...NO_LIMITS,
    ...more,
  };
  const core = await startCore({ config: loadConfig(coreConfig, env, () => ''), log, instance: 'core-test' });
  const url = `http://127.0.0.1:${core.port}`;

  /** One call as a user; `undefined`: without a token. */
  const call = (userId: number | undefined, method: string, path: string, body?: unknown): Promise<Reply> =>
    send(userId, { method, path, body });

  async function send(userId: number | undefined, { method, path, body, headers: extra = {} }: Call): Promise<Reply> {
    const headers: Record<string, string> = { ...extra };
    if (userId !== undefined) headers['authorization'] = `Bearer ${await issuer.token(userId, { name: `name ${userId}` })}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: text }) });
    const answer = await response.text();
    const type = response.headers.get('content-type') ?? '';
    declared({ method, path, status: response.status, type, body: answer === '' ? undefined : JSON.parse(answer) });
    return {
      status: response.status,
      body: (answer === '' ? {} : JSON.parse(answer)) as Body,
      type,
      headers: response.headers,
    };
  }

  return {
    servers,
    issuer,
    mysql,
    postgres,
    core,
    env,
    url,
    call,
    send,
    ready: async () => (await fetch(`http://127.0.0.1:${core.adminPort}/readyz`)).status === 200,
    metrics: async () => (await fetch(`http://127.0.0.1:${core.adminPort}/metrics`)).text(),
    async stop() {
      await core.close();
      await mysql.end();
      await postgres.end();
      await issuer.stop();
      await servers.stop();
    },
  };
}
export type CoreStack = Awaited<ReturnType<typeof startCoreStack>>;
