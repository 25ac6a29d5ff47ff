// Real servers for a suite. In a run of many files, MariaDB (or MySQL) and PostgreSQL are those of the run (pool-main.ts) and the suite gets a
// database of its own; Redis and Kafka, and all of them when a file is run by hand, are started in a folder of their own on free ports,
// ended and removed also when the suite fails.
//
//   const servers = await startServers(['mysql', 'redis'], { own: ['mysql'] });
//   after(() => servers.stop());
//   servers.mysql.url, servers.mysql.kill('SIGKILL'), await servers.start('mysql') …
//
// Who kills, freezes, fills, restarts or configures a server says so with `own`.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';
import { killGroup, type Child } from '../../kind/servers/src/processes/child.ts';
import { startOf } from '../../kind/servers/src/processes/identity.ts';
import { freePort } from '../../kind/servers/src/processes/probe.ts';
import { startHaproxy, type HaproxyOptions } from '../../kind/servers/src/haproxy.ts';
import { findJava, hasKafkaJars, kafkaJarsFolder } from '../../kind/servers/src/kafka-jars.ts';
import { startKafka, type ClientListener } from '../../kind/servers/src/kafka.ts';
import { startMysql } from '../../kind/servers/src/mysql.ts';
import { startPostgres } from '../../kind/servers/src/postgres.ts';
import { startRedis } from '../../kind/servers/src/redis.ts';
import type { Server } from '../../kind/servers/src/server.ts';
import { exitOnSignals } from './children.ts';
import { hasPool, lease } from './pool.ts';

export type { Server } from '../../kind/servers/src/server.ts';
export { freePort };

export type ServerName = 'redis' | 'mysql' | 'postgres' | 'kafka';

const cache = cacheFolder(process.env);
const PREFIX = 'parley-test-';

/** Folders and processes of this test process that are still there; the process's end ends them. */
const open = new Map<string, Set<number>>();
let watching = false;

/** A folder that the servers' own accounts can reach. Removed at the end of the process at the latest. */
export function temporaryFolder(): string {
  watchExit();
  const dir = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  chmodSync(dir, 0o755);
  open.set(dir, new Set());
  return dir;
}

export function removeFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  open.delete(dir);
}

export type Servers<N extends ServerName> = Record<N, Server> & {
  dir: string;
  /** Starts a server again after it was stopped or killed: same port, same data, same passwords. */
  start(name: N): Promise<Server>;
  haproxy(options: Pick<HaproxyOptions, 'config' | 'ports'>): Promise<Server>;
  /** Stops everything and removes the folder. */
  stop(): Promise<void>;
};

export interface ServerSettings {
  /** Servers that are not those of the run: all, or these. */
  own?: boolean | readonly ServerName[] | undefined;
  /** Gets the empty folder of the servers, which are its own then. */
  prepare?: ((dir: string) => void) | undefined;
  /** A second listener of Kafka. */
  kafkaClients?: ClientListener | undefined;
  /** Of MySQL; generated unless given. */
  rootPassword?: string;
  /** Of PostgreSQL. */
  maxConnections?: number;
  /** Lines of my.cnf, for a MySQL of its own that is set up otherwise. */
  mysqlSettings?: readonly string[];
}

/** Starts the named servers at once. When one cannot start, the others are stopped and it throws. */
export async function startServers<const N extends ServerName>(
  names: readonly N[],
  { own = false, prepare, kafkaClients, maxConnections, mysqlSettings, rootPassword = newPassword() }: ServerSettings = {},
): Promise<Servers<N>> {
  const dir = temporaryFolder();
  prepare?.(dir);
  const running: Server[] = [];
  /** Databases on servers of the run. */
  const given: Server[] = [];
  const ports = new Map<string, number>();
  const passwords = { password: newPassword(), rootPassword };
  const onSpawn = (child: Child) => {
    open.get(dir)?.add(child.pid);
    void child.exited.then(() => open.get(dir)?.delete(child.pid));
  };
  const shared = (name: ServerName): name is 'mysql' | 'postgres' =>
    hasPool && !prepare && !(own === true || (own && own.includes(name))) && (name === 'mysql' || name === 'postgres');

  const start = async (name: N): Promise<Server> => {
    if (shared(name) && name in result) ofTheRun(name)();
    const server = shared(name) ? await databaseOf(name) : await startOwn(name);
    (shared(name) ? given : running).push(server);
    return Object.assign(result, { [name]: server })[name];
  };
  const startOwn = async (name: N): Promise<Server> => {
    const port = ports.get(name) ?? (await freePort());
    ports.set(name, port);
    const clients = name === 'kafka' && kafkaClients ? { clients: kafkaClients } : {};
    const connections = maxConnections === undefined ? {} : { maxConnections };
    const settings = name === 'mysql' && mysqlSettings ? { settings: mysqlSettings } : {};
    const more = { ...passwords, ...clients, ...connections, ...settings };
    return starters[name]({ dir: join(dir, name), port, logDir: join(dir, 'logs'), onSpawn, ...more });
  };
  const stop = async () => {
    // Last started first: HAProxy and clients before the databases. A paused server must go on before it can stop.
    for (const server of running.splice(0).reverse()) {
      server.kill('SIGCONT');
      await server.stop();
    }
    for (const server of given.splice(0)) await server.stop();
    removeFolder(dir);
  };
  const haproxy = async (options: Pick<HaproxyOptions, 'config' | 'ports'>) => {
    const server = await startHaproxy({ ...options, dir: join(dir, 'haproxy'), logDir: join(dir, 'logs'), onSpawn });
    running.push(server);
    return server;
  };
  const result = { dir, start, stop, haproxy } as Servers<N>;

  const outcomes = await Promise.allSettled(names.map(start));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return result;
}

const newPassword = () => randomBytes(18).toString('base64url');

const ofTheRun = (name: ServerName) => (): never => {
  throw new Error(`${name} is the server of the whole run: say startServers([…], { own: ['${name}'] })`);
};

/** A database on the server of the run, in the place of a server. */
async function databaseOf(name: 'mysql' | 'postgres'): Promise<Server> {
  const { value, end } = await lease(name);
  const exited = new Promise<string>(() => {});
  return { name, ...value, pid: 0, logFile: '', tail: () => '', exited, kill: ofTheRun(name), stop: async () => end() };
}

const starters = {
  redis: startRedis,
  // `npm test -- --mysql` names a MySQL; otherwise it is what is installed.
  mysql: (options: Parameters<typeof startMysql>[0]) =>
    startMysql({ ...options, ...(process.env['PARLEY_TEST_MYSQLD'] ? { program: process.env['PARLEY_TEST_MYSQLD'] } : {}) }),
  postgres: startPostgres,
  // A failure, not a skip: these tests are part of what `npm test` promises, and `npm test` fetches the jars.
  kafka: (options: Parameters<typeof startRedis>[0]) => {
    if (findJava() === undefined)
      throw new Error('the tests need Java 17 or newer for Kafka (Debian: apt-get install default-jre-headless maven)');
    if (!hasKafkaJars(cache))
      throw new Error('the jars of Kafka are missing: "node kind/local/dist/main.js prepare --for test" fetches them with Maven');
    return startKafka({ ...options, jars: kafkaJarsFolder(cache) });
  },
} satisfies Record<ServerName, unknown>;

/** Ends children when the process ends in any way it can notice, and removes what killed test runs left. */
function watchExit(): void {
  if (watching) return;
  watching = true;
  sweep();
  process.on('exit', () => {
    for (const [dir, pids] of open) {
      pids.forEach(killGroup);
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  });
  exitOnSignals();
}

function sweep(): void {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0]);
    if (startOf(pid) === undefined) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}
