// The servers that the files of one run share: started by the test runner, ended with it. A server starts when the first file asks for it.
// A file gets a database on MariaDB (or MySQL) and PostgreSQL; an API server it gets whole, and the next file gets the same one, emptied.
import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { INSTALL, startOwnApiServer, type RunningApiServer } from './apiserver.ts';
import { emptied, type Emptied } from './empty-api-server.ts';
import { firstLine, type Wants } from './pool.ts';
import { startServers, temporaryFolder } from './servers.ts';

/** Of the files that run at once, each with services whose pools have ten connections and more. */
const MAX_CONNECTIONS = 300;

/** What one file has, and how to take it back. */
interface Given<T> {
  value: T;
  takeBack: () => Promise<void>;
}

let names = 0;
const newName = () => `test_${++names}`;
const newPassword = () => randomBytes(18).toString('base64url');

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

const mysql = once(async () => {
  const rootPassword = newPassword();
  const servers = await startServers(['mysql'], { own: true, rootPassword });
  const socketPath = join(servers.dir, 'mysql', 'data', 'mysql.sock');
  return { port: servers.mysql.port, connect: () => createConnection({ socketPath, user: 'root', password: rootPassword }) };
});

async function mysqlDatabase(): Promise<Given<Wants['mysql']>> {
  const { port, connect } = await mysql();
  const [name, password] = [newName(), newPassword()];
  const run = async (...statements: string[]) => {
    const connection = await connect();
    for (const statement of statements) await connection.query<RowDataPacket[]>(statement);
    await connection.end();
  };
  await run(
    `CREATE DATABASE ${name} CHARACTER SET utf8mb4`,
    `CREATE USER '${name}'@'127.0.0.1' IDENTIFIED BY '${password}'`,
    `GRANT ALL ON ${name}.* TO '${name}'@'127.0.0.1'`,
  );
  return {
    value: { url: `mysql://${name}:${password}@127.0.0.1:${port}/${name}`, port },
    takeBack: () => run(`DROP USER '${name}'@'127.0.0.1'`, `DROP DATABASE ${name}`),
  };
}

const postgres = once(async () => {
  const { postgres: server } = await startServers(['postgres'], { own: true, maxConnections: MAX_CONNECTIONS });
  const root = new URL(server.url);
  root.username = 'postgres';
  root.pathname = '/postgres';
  return { port: server.port, connectionString: root.href };
});

async function postgresDatabase(): Promise<Given<Wants['postgres']>> {
  const { port, connectionString } = await postgres();
  const [name, password] = [newName(), newPassword()];
  const run = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  await run(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`, `CREATE DATABASE ${name} OWNER ${name}`);
  return {
    value: { url: `postgres://${name}:${password}@127.0.0.1:${port}/${name}`, port },
    takeBack: () => run(`DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${name}`),
  };
}

/** An API server that nobody has asked for in this time is ended: the files that use one are over, and at rest it takes a tenth of a core. */
const IDLE_MS = 10_000;

interface FreeApiServer {
  server: RunningApiServer;
  empty: Emptied;
  ending?: NodeJS.Timeout;
}
const free: Record<'apiserver' | 'installed', FreeApiServer[]> = { apiserver: [], installed: [] };

async function apiServer(kind: keyof typeof free): Promise<Given<Wants[typeof kind]>> {
  const given = free[kind].pop() ?? (await startEmptied(kind));
  clearTimeout(given.ending);
  const { server, empty } = given;
  return {
    value: { dir: server.dir, port: server.port },
    takeBack: async () => {
      // One that cannot be emptied is not given to anybody again.
      await empty().then(
        () => {
          free[kind].push(given);
          given.ending = setTimeout(() => {
            free[kind].splice(free[kind].indexOf(given), 1);
            void server.stop();
          }, IDLE_MS);
        },
        (error: unknown) => {
          console.error(`an API server of the pool is given up: ${String(error)}`);
          return server.stop();
        },
      );
    },
  };
}

/** Emptied, it is as it is now: with what was installed. */
async function startEmptied(kind: keyof typeof free): Promise<FreeApiServer> {
  const server = await startOwnApiServer(kind === 'installed' ? { install: INSTALL } : {});
  return { server, empty: await emptied(server) };
}

const give: { [W in keyof Wants]: () => Promise<Given<Wants[W]>> } = {
  mysql: mysqlDatabase,
  postgres: postgresDatabase,
  apiserver: () => apiServer('apiserver'),
  installed: () => apiServer('installed'),
};

async function serve(socket: Socket): Promise<void> {
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  const want = (await firstLine(socket).catch(() => undefined)) as keyof Wants | undefined;
  // Gone before it said what it wants.
  if (want === undefined) return;
  try {
    const { value, takeBack } = await give[want]();
    socket.write(`${JSON.stringify({ value })}\n`);
    await gone;
    await takeBack();
  } catch (error) {
    // A file that is gone does not hear it; what it had stays until the end of the run.
    if (socket.destroyed) console.error(`the pool could not take back ${want}: ${String(error)}`);
    else socket.end(`${JSON.stringify({ error: `the pool has no ${want}: ${String(error)}` })}\n`);
  }
}

// The runner's end, also by kill -9, is this process's end; temporaryFolder ends and removes everything with it.
process.on('disconnect', () => process.exit(0));
const socketPath = join(temporaryFolder(), 'pool.sock');
createServer((socket) => void serve(socket)).listen(socketPath, () => process.send?.(socketPath));
