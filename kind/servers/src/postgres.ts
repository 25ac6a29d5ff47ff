// PostgreSQL as a child process with the database and user of Parley. It listens on TCP only, with scram passwords.
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { accountOf, privateFile, privateFolder, type Account } from './processes/account.ts';
import { postgresFolders } from './processes/programs.ts';
import { launch, portOf, runStep, type Server, type ServerOptions } from './server.ts';

export interface PostgresOptions extends ServerOptions {
  /** Of the user parley; fixed when the data folder is made. */
  password?: string;
  /** 100 unless given. */
  maxConnections?: number;
}

/** Where the password of a folder's first start is kept when the caller gives none: it must survive a restart. */
const PASSWORD_FILE = 'parley.password';

export async function startPostgres(options: PostgresOptions): Promise<Server> {
  const account = accountOf('postgres');
  privateFolder(options.dir, account);
  const data = join(options.dir, 'data');
  const bin = programsFor(data);
  if (!existsSync(data)) {
    const password = options.password ?? randomBytes(18).toString('base64url');
    privateFile(join(options.dir, PASSWORD_FILE), password, account);
    await initialise({ bin, account, password, options });
  }
  const password = options.password ?? readFileSync(join(options.dir, PASSWORD_FILE), 'utf8');
  const port = await portOf(options);
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'shared_buffers=64MB',
    `max_connections=${options.maxConnections ?? 100}`,
    'logging_collector=off',
  ];
  return launch(
    {
      name: 'postgres',
      command: join(bin, 'postgres'),
      args: ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      account,
      cwd: options.dir,
      port,
      url: `postgres://parley:${password}@127.0.0.1:${port}/parley`,
      // An authentication request ("R") comes only from a server that takes sessions; before that it answers an error ("E").
      probes: [{ port, hello: startupMessage({ user: 'parley', database: 'parley' }), ready: (answer) => answer[0] === 'R'.charCodeAt(0) }],
      readyWithinMs: 60_000,
      stop: { signal: 'SIGINT', withinMs: 20_000 },
      deathSignal: 'INT',
    },
    options,
  );
}

/** A data folder can be used only by the major version that made it. */
function programsFor(data: string): string {
  const folders = postgresFolders();
  if (folders[0] === undefined) throw new Error('postgresql is not installed');
  if (!existsSync(data)) return folders[0];
  const version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  const match =
    folders.find((folder) => folder.includes(`/${version}/`)) ?? folders.find((folder) => !folder.startsWith('/usr/lib/postgresql'));
  if (match === undefined) throw new Error(`the data in ${data} belongs to PostgreSQL ${version}, which is not installed`);
  return match;
}

/** Makes the cluster in a folder that gets its name only when it is complete: an interrupted start begins anew. */
async function initialise({
  bin,
  account,
  password,
  options,
}: {
  bin: string;
  account: Account | undefined;
  password: string;
  options: ServerOptions;
}): Promise<void> {
  const { dir } = options;
  const fresh = join(dir, 'data.new');
  rmSync(fresh, { recursive: true, force: true });
  const step = { name: 'postgres-init', account, cwd: dir };
  // -N: the fresh files are not synced one by one. What is written later is.
  const args = [
    '-D',
    fresh,
    '-U',
    'postgres',
    '--auth=scram-sha-256',
    `--pwfile=${join(dir, PASSWORD_FILE)}`,
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '--no-instructions',
    '-N',
  ];
  await runStep({ ...step, command: join(bin, 'initdb'), args }, options);
  const statements = [`CREATE ROLE parley LOGIN PASSWORD '${password}';`, 'CREATE DATABASE parley OWNER parley;'];
  await singleUser({ program: join(bin, 'postgres'), data: fresh, statements, account, cwd: dir });
  renameSync(fresh, join(dir, 'data'));
}

/** Runs statements without a server that listens: nothing else can be connected, and the password goes through a pipe. */
async function singleUser({
  program,
  data,
  statements,
  account,
  cwd,
}: {
  program: string;
  data: string;
  statements: string[];
  account: Account | undefined;
  cwd: string;
}): Promise<void> {
  const child = spawn(program, ['--single', '-D', data, '-c', 'exit_on_error=true', 'postgres'], {
    ...account,
    cwd,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { LANG: 'C.UTF-8' },
  });
  let problems = '';
  child.stderr.on('data', (chunk: Buffer) => (problems += chunk.toString('utf8')));
  const end = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  child.stdin.on('error', () => {}); // it ended before it read everything; the exit code says so
  child.stdin.end(statements.map((statement) => `${statement}\n`).join(''));
  if ((await end) !== 0) throw new Error(`postgres --single failed:\n${problems}`);
}

/** StartupMessage of protocol 3.0: length, version, pairs of zero-ended texts, zero. */
function startupMessage(parameters: Record<string, string>): Buffer {
  const body = Buffer.from(
    `${Object.entries(parameters)
      .map(([key, value]) => `${key}\0${value}\0`)
      .join('')}\0`,
  );
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(196608, 4);
  return Buffer.concat([head, body]);
}
