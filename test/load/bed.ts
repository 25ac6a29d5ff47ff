// What all measurements share: database and Redis on the server's core, rooms, tokens, the compiled generator.
import { createHmac, randomBytes } from 'node:crypto';
import type { RowDataPacket } from 'mysql2';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chatMigrations, connectMysql, createMysqlPool, mysqlMigrations, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { createLog } from '@parley/kit/process';
import { migrate } from '@parley/kit/sql';
import { startServers, type Servers } from '../helpers/servers.ts';
import { startTokenIssuer, type TokenIssuer } from '../helpers/tokens.ts';
import { startCluster } from './cluster.ts';
import { createFloorTables } from './floor-writer.ts';
import { compileGenerator } from './generator.ts';
import { pin, prefer } from './pinned.ts';
import { compileFloor, startChat, startFloor, type Running } from './subject.ts';
import type { Subject, Workload } from './workloads.ts';

const SERVER_CORE = 0;
const CLIENT_CORE = 1;
/** Longer than any benchmark. */
const TOKEN_SECONDS = 24 * 3600;
const INSERT_ROWS = 2000;

export class Bed {
  readonly servers: Servers<'mysql' | 'redis'>;
  readonly generator: string;
  /** undefined on a machine with one core: then nothing is pinned, and the report says so */
  readonly cores: { server: number; client: number } | undefined;
  readonly #issuer: TokenIssuer;
  readonly #pool: MysqlPool;
  readonly #floorSecret = randomBytes(32).toString('base64url');
  readonly #tokens = { parley: [] as string[], floor: [] as string[] };

  private constructor(parts: { servers: Servers<'mysql' | 'redis'>; issuer: TokenIssuer; pool: MysqlPool; generator: string }) {
    this.servers = parts.servers;
    this.generator = parts.generator;
    this.#issuer = parts.issuer;
    this.#pool = parts.pool;
    this.cores = availableParallelism() > 1 ? { server: SERVER_CORE, client: CLIENT_CORE } : undefined;
  }

  static async open(): Promise<Bed> {
    const servers = await startServers(['mysql', 'redis']);
    const generator = compileGenerator(join(servers.dir, 'generator'));
    compileFloor();
    const issuer = await startTokenIssuer();
    const pool = createMysqlPool(servers.mysql.url);
    const bed = new Bed({ servers, issuer, pool, generator });
    try {
      const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
      await migrate(mysqlMigrations(connection), chatMigrations(), createLog({ service: 'bench', instance: 'bench', level: 'error' }));
      await connection.end();
      await createFloorTables(servers.mysql.url);
      for (const { pid } of [servers.mysql, servers.redis]) prefer(pid);
      if (bed.cores) {
        for (const { pid } of [servers.mysql, servers.redis]) pin(pid, bed.cores.server);
        pin(process.pid, bed.cores.client);
      }
      return bed;
    } catch (error) {
      await bed.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
    await this.#issuer.stop();
    await this.servers.stop();
  }

  /** One server, ready; it is not pinned on a machine with one core. */
  start(
    subject: Subject,
    { nodeArgs = [], env = {} }: { nodeArgs?: readonly string[]; env?: Record<string, string> } = {},
  ): Promise<Running> {
    const core = this.cores?.server;
    if (subject === 'parley') return startChat({ core, nodeArgs, env: { ...this.#serviceUrls(), ...env } });
    const durable = subject === 'commit' ? { FLOOR_DATABASE_URL: this.servers.mysql.url } : {};
    return startFloor({ core, nodeArgs, env: { FLOOR_SECRET: this.#floorSecret, ...durable } });
  }

  /** Replicas behind HAProxy, with the configuration that the operator writes, all on the server's core. */
  startCluster(replicas: number): Promise<Running> {
    return startCluster({ servers: this.servers, replicas, core: this.cores?.server, env: this.#serviceUrls() });
  }

  #serviceUrls(): Record<string, string> {
    const { mysql, redis } = this.servers;
    return { DATABASE_URL: mysql.url, REDIS_URL: redis.url, JWKS_URL: this.#issuer.jwksUrl };
  }

  async databaseVersion(): Promise<string> {
    const [rows] = await this.#pool.query<RowDataPacket[]>('SELECT VERSION() AS version');
    const version = String(rows[0]?.['version']);
    return version.includes('MariaDB') ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`;
  }

  /** Fresh rooms; the members of room r are the users r × members + 1 and following. */
  async rooms(subject: Subject, { rooms, members }: Workload): Promise<string[]> {
    const ids = Array.from({ length: rooms }, () => newId()).sort();
    if (subject === 'commit') await this.#insert('INSERT INTO floor_rooms (id, last_seq) VALUES ?', ids, (id) => [[toBinary(id), 0]]);
    if (subject !== 'parley') return ids;
    const now = new Date();
    await this.#insert('INSERT INTO rooms (id, type, name, created_by, created_at) VALUES ?', ids, (id, room) => [
      [toBinary(id), 'group', 'bench', room * members + 1, now],
    ]);
    await this.#insert('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', ids, (id, room) =>
      Array.from({ length: members }, (_, index) => [toBinary(id), room * members + index + 1, 'member', 'active', now]),
    );
    return ids;
  }

  /** One user for each connection. */
  async tokens(subject: Subject, count: number): Promise<string[]> {
    const kind = subject === 'parley' ? 'parley' : 'floor';
    const tokens = this.#tokens[kind];
    while (tokens.length < count) {
      const userId = tokens.length + 1;
      tokens.push(
        kind === 'parley' ? await this.#issuer.token(userId, { expiresInSeconds: TOKEN_SECONDS }) : floorToken(this.#floorSecret, userId),
      );
    }
    return tokens.slice(0, count);
  }

  async #insert(sql: string, ids: readonly string[], rowsOf: (id: string, room: number) => unknown[][]): Promise<void> {
    const rows = ids.flatMap(rowsOf);
    for (let from = 0; from < rows.length; from += INSERT_ROWS) await this.#pool.query(sql, [rows.slice(from, from + INSERT_ROWS)]);
  }
}

function floorToken(secret: string, userId: number): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const text = `${encode({ alg: 'HS256' })}.${encode({ user_id: userId, name: `user ${userId}` })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
