// Chat replicas as processes of their own on real MySQL and Redis, and rooms made directly in the database.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createLog } from '@parley/kit/process';
import { migrate } from '@parley/kit/sql';
import { chatMigrations, connectMysql, createMysqlPool, mysqlMigrations, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { endWithUs } from './children.ts';
import { program } from './program.ts';
import { startServers, type Servers, type ServerSettings } from './servers.ts';
import { startTokenIssuer, type TokenIssuer } from './tokens.ts';
import { WsClient } from './ws-client.ts';

export const quiet = createLog({ service: 'test', instance: 'test', level: process.env['TEST_LOG'] ?? 'error' });

/** All clients of a test come from one address and send as fast as they can. */
export const NO_LIMITS: Record<string, string> = {
  MAX_CONNECTIONS_PER_USER: '1000000',
  MAX_CONNECTIONS_PER_IP: '1000000',
  ...Object.fromEntries(
    ['MESSAGE', 'TYPING', 'ROOM_ACTION', 'CONNECT'].flatMap((event) => [
      [`RATE_${event}_BURST`, '1000000'],
      [`RATE_${event}_PER_SECOND`, '1000000'],
    ]),
  ),
};

export interface Replica {
  name: string;
  url: string;
  http: string;
  adminUrl: string;
  process: ChildProcess;
  output: () => string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface ChatCluster {
  servers: Servers<'mysql' | 'redis'>;
  issuer: TokenIssuer;
  pool: MysqlPool;
  replicas: Replica[];
  startReplica(name: string, env?: Record<string, string>): Promise<Replica>;
  /** A group with these active members. */
  room(memberIds: number[]): Promise<string>;
  rows(roomId: string): Promise<{ seq: number; sender_id: number; content: string; client_msg_id: string | null }[]>;
  login(replica: Replica, userId: number): Promise<WsClient>;
  stop(): Promise<void>;
}

export async function startChatCluster(
  replicaCount: number,
  env: Record<string, string> = {},
  settings: ServerSettings = {},
): Promise<ChatCluster> {
  const servers = await startServers(['mysql', 'redis'], settings);
  const issuer = await startTokenIssuer();
  const replicas: Replica[] = [];
  const pool = createMysqlPool(servers.mysql.url);
  const clients: WsClient[] = [];
  const stop = async () => {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(replicas.map((replica) => replica.kill('SIGKILL')));
    await pool.end();
    await issuer.stop();
    await servers.stop();
  };
  try {
    const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
    await migrate(mysqlMigrations(connection), chatMigrations(), quiet);
    await connection.end();
    const startReplica = async (name: string, more: Record<string, string> = {}) => {
      const replica = await launch(name, {
        DATABASE_URL: servers.mysql.url,
        REDIS_URL: servers.redis.url,
        JWKS_URL: issuer.jwksUrl,
        DRAIN_WINDOW_MS: '2000',
        ...NO_LIMITS,
        STARTUP_TIMEOUT_MS: '15000',
        ...env,
        ...more,
      });
      replicas.push(replica);
      return replica;
    };
    await Promise.all(Array.from({ length: replicaCount }, (_, index) => startReplica(`chat-${index + 1}`)));
    replicas.sort((a, b) => a.name.localeCompare(b.name));
    return {
      servers,
      issuer,
      pool,
      replicas,
      startReplica,
      stop,
      room: (memberIds) => createRoom(pool, memberIds),
      rows: async (roomId) => {
        const [rows] = await pool.query<RowDataPacket[]>(
          'SELECT seq, sender_id, content, client_msg_id FROM messages WHERE room_id = ? ORDER BY seq',
          [toBinary(roomId)],
        );
        return rows as never;
      },
      login: async (replica, userId) => {
        const client = await WsClient.login(replica.url, await issuer.token(userId));
        clients.push(client);
        return client;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function launch(name: string, env: Record<string, string>): Promise<Replica> {
  const child = endWithUs(
    // npm run test:image: the Node of the image.
    spawn(process.env['PARLEY_TEST_CHAT_NODE'] ?? process.execPath, program('services/chat/src/main.ts'), {
      env: {
        PATH: process.env['PATH'],
        PARLEY_IMAGE_ROOT: process.env['PARLEY_IMAGE_ROOT'],
        SERVER_HOST: '127.0.0.1',
        ADMIN_HOST: '127.0.0.1',
        SERVER_PORT: '0',
        ADMIN_PORT: '0',
        INSTANCE_NAME: name,
        LOG_LEVEL: 'info',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  let output = '';
  const ready = new Promise<{ port: number; adminPort: number }>((resolve, reject) => {
    const collect = (data: Buffer) => {
      output += data.toString();
      const line = output.split('\n').find((each) => each.includes('"msg":"ready"'));
      if (line) resolve(JSON.parse(line) as { port: number; adminPort: number });
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('exit', (code, signal) => reject(new Error(`${name} ended (${code ?? signal}) before it was ready:\n${output.slice(-2000)}`)));
  });
  const { port, adminPort } = await ready;
  return {
    name,
    url: `ws://127.0.0.1:${port}/api/ws`,
    http: `http://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    process: child,
    output: () => output,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

export async function createRoom(pool: MysqlPool, memberIds: number[]): Promise<string> {
  const roomId = newId();
  const now = new Date();
  await pool.query("INSERT INTO rooms (id, type, name, created_by, created_at) VALUES (?, 'group', 'test', ?, ?)", [
    toBinary(roomId),
    memberIds[0],
    now,
  ]);
  await pool.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [
    memberIds.map((id) => [toBinary(roomId), id, 'member', 'active', now]),
  ]);
  return roomId;
}

/** What the writer would have stored of so many messages in an empty room; nobody is told. */
export async function fillRoom(
  pool: MysqlPool,
  roomId: string,
  { content, count, senderId }: { content: string; count: number; senderId: number },
): Promise<void> {
  const now = new Date();
  const rows = Array.from({ length: count }, (_, index) => [
    ...[toBinary(roomId), index + 1, toBinary(newId()), 'message', index + 1, senderId, `user ${senderId}`],
    ...[content, 'text', null, null, now],
  ]);
  await pool.query(
    `INSERT INTO messages (room_id, seq, id, kind, message_no, sender_id, sender_name, content, message_type, metadata, client_msg_id, created_at)
     VALUES ?`,
    [rows],
  );
  const head = 'UPDATE rooms SET last_seq = ?, message_count = ?, last_message_at = ? WHERE id = ?';
  await pool.query(head, [count, count, now, toBinary(roomId)]);
}
