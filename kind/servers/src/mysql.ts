// MySQL, or MariaDB where MySQL is not installed, as a child process with the database and user of Parley.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { accountOf, privateFile, privateFolder, type Account } from './processes/account.ts';
import { findProgram } from './processes/programs.ts';
import { launch, portOf, runStep, type Server, type ServerOptions } from './server.ts';

export type MysqlFlavor = 'mysql' | 'mariadb';
export interface MysqlOptions extends ServerOptions {
  password?: string;
  rootPassword?: string;
  /** MySQL when it is installed, else MariaDB; a folder with data keeps its flavor. */
  flavor?: MysqlFlavor;
  /** More lines of its configuration. */
  settings?: readonly string[];
  /** Path of a mysqld that is not installed where programs are looked for; it decides the flavor. */
  program?: string;
}

const PROGRAM = { mysql: 'mysqld', mariadb: 'mariadbd' } as const;
/** A server that starts removes temporary tables of others from its tmpdir: in a shared /tmp it breaks one that is being made beside it. */
const temporary = (dir: string) => join(dir, 'tmp');
const generated = () => randomBytes(18).toString('base64url');

export async function startMysql(options: MysqlOptions): Promise<Server & { flavor: MysqlFlavor }> {
  const { dir, password = generated(), rootPassword = generated() } = options;
  const account = accountOf('mysql');
  privateFolder(dir, account);
  privateFolder(temporary(dir), account);
  const data = join(dir, 'data');
  const flavor = options.program ? 'mysql' : chooseFlavor(dir, options.flavor);
  const command = options.program ?? programOf(flavor);
  if (!command) throw new Error(`${PROGRAM[flavor]} is not installed${existsSync(data) ? `, but the data in ${dir} belongs to it` : ''}`);
  if (!existsSync(data)) await initialise({ flavor, command, account, options });
  const port = await portOf(options);
  const init = join(dir, 'init.sql');
  privateFile(init, accounts({ password, rootPassword }), account);
  const config = join(dir, 'my.cnf');
  privateFile(config, settings({ dir, data, port, init, flavor, more: options.settings ?? [] }), account);
  const server = await launch(
    {
      name: 'mysql',
      command,
      args: [`--defaults-file=${config}`],
      account,
      cwd: dir,
      port,
      url: `mysql://parley:${password}@127.0.0.1:${port}/parley`,
      // The handshake packet: header of four bytes, then protocol version 10; 255 would be an error packet.
      probes: [{ port, ready: (answer) => answer[4] === 10 }],
      readyWithinMs: 60_000,
      stop: { signal: 'SIGTERM', withinMs: 30_000 },
      // SIGTERM is lost while MariaDB starts; what was committed survives a kill.
      deathSignal: 'KILL',
    },
    options,
  );
  return { ...server, flavor };
}

/** MariaDB installs a link named mysqld: the name alone does not tell which of the two it is, its version text does. */
function programOf(flavor: MysqlFlavor): string | undefined {
  const path = findProgram(PROGRAM[flavor]);
  if (flavor === 'mariadb' || path === undefined) return path;
  const { stdout } = spawnSync(path, ['--no-defaults', '--version'], { encoding: 'utf8' });
  return stdout.includes('MariaDB') ? undefined : path;
}

function chooseFlavor(dir: string, wanted: MysqlFlavor | undefined): MysqlFlavor {
  const file = join(dir, 'flavor');
  if (existsSync(join(dir, 'data')) && existsSync(file)) return readFileSync(file, 'utf8').trim() === 'mysql' ? 'mysql' : 'mariadb';
  return wanted ?? (programOf('mysql') ? 'mysql' : 'mariadb');
}

/** Makes the system tables in a folder that gets its name only when it is complete: an interrupted start begins anew. */
async function initialise({
  flavor,
  command,
  account,
  options,
}: {
  flavor: MysqlFlavor;
  command: string;
  account: Account | undefined;
  options: ServerOptions;
}): Promise<void> {
  const { dir } = options;
  const fresh = join(dir, 'data.new');
  rmSync(fresh, { recursive: true, force: true });
  const step = { name: 'mysql-init', account, cwd: dir, env: { TMPDIR: temporary(dir) } };
  if (flavor === 'mysql') {
    await runStep({ ...step, command, args: ['--no-defaults', '--initialize-insecure', `--datadir=${fresh}`] }, options);
  } else {
    const install = findProgram('mariadb-install-db', 'mysql_install_db');
    if (!install) throw new Error('mariadb-install-db is not installed');
    // --cross-bootstrap leaves out a check of the host's name, nothing durable. Small redo log: 64 MB instead of 96.
    const args = [
      `--datadir=${fresh}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--cross-bootstrap',
      '--innodb-log-file-size=64M',
    ];
    await runStep({ ...step, command: install, args: ['--no-defaults', ...args] }, options);
  }
  privateFile(join(dir, 'flavor'), `${flavor}\n`, account);
  renameSync(fresh, join(dir, 'data'));
}

/**
 * Run by the server before it takes connections, at every start: the passwords are those of the caller, and nobody without one
 * gets in. One statement a line. Passwords are base64url and need no escapes.
 */
function accounts({ password, rootPassword }: { password: string; rootPassword: string }): string {
  return [
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${rootPassword}';`,
    ...['127.0.0.1', '::1', '%'].map((host) => `DROP USER IF EXISTS 'root'@'${host}';`),
    `DROP USER IF EXISTS ''@'localhost';`,
    'CREATE DATABASE IF NOT EXISTS parley CHARACTER SET utf8mb4;',
    `CREATE USER IF NOT EXISTS 'parley'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `ALTER USER 'parley'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON parley.* TO 'parley'@'127.0.0.1';`,
    '',
  ].join('\n');
}

function settings({
  dir,
  data,
  port,
  init,
  flavor,
  more,
}: {
  dir: string;
  data: string;
  port: number;
  init: string;
  flavor: MysqlFlavor;
  more: readonly string[];
}): string {
  return [
    '[mysqld]',
    `datadir=${data}`,
    `tmpdir=${temporary(dir)}`,
    // Relative to the data folder: the whole path of a socket may have no more than 107 bytes.
    'socket=mysql.sock',
    `pid-file=${join(dir, 'mysql.pid')}`,
    `port=${port}`,
    'bind-address=127.0.0.1',
    'skip-name-resolve',
    `init-file=${init}`,
    'character-set-server=utf8mb4',
    // An acked message is on disk.
    'innodb-flush-log-at-trx-commit=1',
    'innodb-buffer-pool-size=128M',
    'max-connections=400',
    'skip-log-bin',
    ...more,
    ...(flavor === 'mysql' ? ['mysqlx=0', 'secure-file-priv=NULL', 'innodb-redo-log-capacity=128M'] : ['innodb-log-file-size=64M']),
    '',
  ].join('\n');
}
