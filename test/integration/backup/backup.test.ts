// Backups and what can be made of them: on real servers, by the scripts that the CronJobs run and the command of the restore.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectMysql } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import pg from 'pg';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { program } from '../../helpers/program.ts';
import { removeFolder, startServers, temporaryFolder, type Servers } from '../../helpers/servers.ts';
import { backupsOf, type Backups, type Outcome } from './scripts.ts';

const CHAT_MIGRATION = 'services/shared/chat-store/src/migrate-main.ts';
const USER_MIGRATION = 'services/auth/src/migrate-main.ts';
const NEW_EPOCH = 'services/shared/chat-store/src/new-epoch-main.ts';
/** Longer than any run of the suite. */
const LONG_AGO = new Date('2020-01-01T00:00:00Z');

async function command(file: string, url: string): Promise<Outcome> {
  const child = spawn(process.execPath, program(file), {
    env: { PATH: process.env['PATH'], DATABASE_URL: url, STARTUP_TIMEOUT_MS: '10000' },
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const succeeds = async (outcome: Promise<Outcome>): Promise<string> => {
  const { code, output } = await outcome;
  assert.equal(code, 0, output);
  return output;
};
const fails = async (outcome: Promise<Outcome>, message: RegExp): Promise<void> => {
  const { code, output } = await outcome;
  assert.notEqual(code, 0, output);
  assert.match(output, message);
};

/** Of the test itself; its pool makes new ones when it needs them. */
async function endSessions(url: string): Promise<void> {
  const connection = await connectMysql(url);
  const [rows] = await connection.query<RowDataPacket[]>('SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()');
  for (const row of rows) await connection.query('KILL ?', [Number(row['id'] ?? row['ID'])]);
  await connection.end();
}

/** What holds of both databases. `spoil` makes the real program fail in the midst of its work. */
function commonBehaviour(of: () => { backups: Backups; dump: string; spoil: () => Promise<() => Promise<void>> }) {
  it('a backup is complete under its name, with its sum, for its own user only; nothing else is left', async () => {
    const { backups } = of();
    assert.match(await succeeds(backups.backup()), /is complete: \d+ bytes/);
    const [name = ''] = backups.names();
    assert.deepEqual(backups.files(), [name, `${name}.sha256`]);
    assert.match(readFileSync(join(backups.folder, `${name}.sha256`), 'utf8'), new RegExp(`^[0-9a-f]{64} {2}${name}\\n$`));
    assert.equal(statSync(join(backups.folder, name)).mode & 0o777, 0o600);
  });

  it('the newest are kept, and older ones go with their sums', async () => {
    const { backups } = of();
    const old = ['20200101T030000Z', '20200102T030000Z'].map((time) => `${time}.${backups.names()[0]?.split('.').slice(1).join('.')}`);
    for (const name of old) for (const file of [name, `${name}.sha256`]) writeFileSync(join(backups.folder, file), 'old');
    const newest = backups.names().at(-1) ?? '';
    await succeeds(backups.backup({ keep: 3 }));
    assert.equal(backups.names().length, 3);
    assert.equal(backups.names()[0], old[1]);
    assert.ok(backups.names().includes(newest));
    await succeeds(backups.backup({ keep: 1 }));
    assert.equal(backups.names().length, 1);
    assert.deepEqual(backups.files(), [backups.names()[0], `${backups.names()[0]}.sha256`]);
  });

  it('a run that fails leaves the earlier backups as they are, and nothing of its own', async () => {
    const { backups, spoil } = of();
    const earlier = backups.files();
    await fails(backups.backup({ keep: 1, password: 'wrong' }), /denied|authentication/i);
    assert.deepEqual(backups.files(), earlier);
    const undo = await spoil();
    await fails(backups.backup({ keep: 1 }), /spoilt/);
    await undo();
    assert.deepEqual(backups.files(), earlier);
    const { code } = await backups.backup({ keep: 1, blocks: 1 });
    assert.notEqual(code, 0);
    assert.deepEqual(backups.files(), earlier);
  });

  it('a dump that was cut off is not taken for one, though its program says that all is well', async () => {
    const { backups, dump } = of();
    const earlier = backups.files();
    const programs = join(backups.folder, '..', `cut-${dump}`);
    mkdirSync(programs);
    // The real program; the end of what it writes is lost.
    const file = dump === 'pg_dump' ? '; for last in "$@"; do :; done; truncate -s -200 "${last#--file=}"' : ' | head -c -200';
    writeFileSync(join(programs, dump), `#!/bin/bash\nPATH="\${PATH#*:}"\n${dump} "$@"${file}\n`);
    chmodSync(join(programs, dump), 0o755);
    await fails(backups.backup({ keep: 1, programs }), /cut off|pg_restore: error/);
    assert.deepEqual(backups.files(), earlier);
  });

  it('what a killed run left is removed later, when it cannot be another run that still goes on', async () => {
    const { backups } = of();
    for (const name of ['.partial-old', '.partial-running']) writeFileSync(join(backups.folder, name), '');
    utimesSync(join(backups.folder, '.partial-old'), LONG_AGO, LONG_AGO);
    await succeeds(backups.backup({ keep: 1 }));
    assert.ok(!existsSync(join(backups.folder, '.partial-old')));
    assert.ok(existsSync(join(backups.folder, '.partial-running')));
  });

  it('a backup whose bytes changed, or that is not there, is not restored', async () => {
    const { backups } = of();
    await fails(backups.restore('20200101T000000Z.none'), /there is no 20200101T000000Z\.none .*there are 2/);
    const [name = ''] = backups.names();
    const bytes = readFileSync(join(backups.folder, name));
    truncateSync(join(backups.folder, name), bytes.length - 1);
    await fails(backups.restore(), /is not what was written/);
    writeFileSync(join(backups.folder, name), bytes);
  });
}

describe('backups of the chat data', () => {
  let cluster: ChatCluster;
  let dir: string;
  let backups: Backups;
  let room: string;
  before(async () => {
    cluster = await startChatCluster(1, {}, { own: true });
    dir = temporaryFolder();
    backups = backupsOf('mysql', cluster.servers.mysql, dir);
    room = await cluster.room([1, 2]);
  });
  after(async () => {
    await cluster?.stop();
    if (dir) removeFolder(dir);
  });

  commonBehaviour(() => ({
    backups,
    dump: 'flavor' in cluster.servers.mysql && cluster.servers.mysql.flavor === 'mysql' ? 'mysqldump' : 'mariadb-dump',
    spoil: async () => {
      await cluster.pool.query('CREATE TABLE gone (id INT)');
      await cluster.pool.query('CREATE VIEW spoilt AS SELECT id FROM gone');
      await cluster.pool.query('DROP TABLE gone');
      return async () => void (await cluster.pool.query('DROP VIEW spoilt'));
    },
  }));

  it('is restored only when nothing uses the database; then history is there, and clients of before are told to start anew', async () => {
    const one = cluster.replicas[0] as Replica;
    const text = 'Grüße 👋 \n-- Dump completed \\ \'quoted\' "twice"';
    const alice = await cluster.login(one, 1);
    const before = await alice.join(room);
    await alice.say(room, text, 'm1');
    await alice.say(room, 'second', 'm2');
    const saved = await cluster.rows(room);
    await succeeds(backups.backup());
    await alice.say(room, 'after the backup', 'm3');

    await fails(backups.restore(), /other sessions use the database: scale chat/);
    assert.equal((await cluster.rows(room)).length, saved.length + 1);
    await alice.close();
    await one.kill('SIGTERM');
    await cluster.pool.query('CREATE TABLE of_a_newer_version (id INT)');
    await endSessions(cluster.servers.mysql.url);

    assert.match(await succeeds(backups.restore()), /is restored/);
    await succeeds(command(CHAT_MIGRATION, cluster.servers.mysql.url));
    const renewed = await succeeds(command(NEW_EPOCH, cluster.servers.mysql.url));
    const { before: old, epoch } = JSON.parse(renewed.trim()) as { before: string; epoch: string };
    assert.equal(old, before['epoch']);
    assert.notEqual(epoch, old);

    assert.deepEqual(await cluster.rows(room), saved);
    const [tables] = await cluster.pool.query("SHOW TABLES LIKE 'of_a_newer_version'");
    assert.deepEqual(tables, []);
    const two = await cluster.startReplica('chat-2');
    const back = await cluster.login(two, 1);
    back.send({ type: 'join_room', room_id: room, after_seq: 2, epoch: old });
    const joined = await back.next((frame) => frame.type === 'joined');
    assert.deepEqual([joined['recovered'], joined['epoch'], joined['seq']], [false, epoch, 2]);
    assert.equal((await back.say(room, 'goes on', 'm4'))['seq'], 3);
    const bob = await cluster.login(two, 2);
    bob.send({ type: 'join_room', room_id: room, after_seq: 0, epoch });
    await bob.next((frame) => frame.type === 'message' && frame['seq'] === 3);
    assert.deepEqual(
      bob.messages(room).map((frame) => frame['content']),
      [text, 'second', 'goes on'],
    );
  });

  it('a database without a lineage gets no epoch', async () => {
    const connection = await connectMysql(cluster.servers.mysql.url);
    await connection.query('DELETE FROM lineage');
    await fails(command(NEW_EPOCH, cluster.servers.mysql.url), /restore a backup of the chat data first/);
    await connection.end();
  });
});

describe('backups of the user data', () => {
  let servers: Servers<'postgres'>;
  let dir: string;
  let backups: Backups;
  const query = async (sql: string, role = 'parley'): Promise<unknown[]> => {
    const url = new URL(servers.postgres.url);
    url.username = role;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  before(async () => {
    servers = await startServers(['postgres'], { own: true });
    dir = temporaryFolder();
    backups = backupsOf('postgres', servers.postgres, dir);
    await succeeds(command(USER_MIGRATION, servers.postgres.url));
    await query(
      "INSERT INTO users (name, email, password_hash) SELECT 'Grüße 👋 ' || n, n || '@example.org', md5(n::text) FROM generate_series(1, 500) n",
    );
  });
  after(async () => {
    await servers?.stop();
    if (dir) removeFolder(dir);
  });

  commonBehaviour(() => ({
    backups,
    dump: 'pg_dump',
    spoil: async () => {
      await query('CREATE TABLE public.spoilt (id INT)', 'postgres');
      return async () => void (await query('DROP TABLE public.spoilt', 'postgres'));
    },
  }));

  it('a restore that fails in its midst leaves the database as it was', async () => {
    await succeeds(backups.backup({ keep: 1 }));
    const [name = ''] = backups.names();
    const broken = Buffer.from(readFileSync(join(backups.folder, name)).subarray(0, -200));
    writeFileSync(join(backups.folder, '20200101T000000Z.dump'), broken);
    const sum = createHash('sha256').update(broken).digest('hex');
    writeFileSync(join(backups.folder, '20200101T000000Z.dump.sha256'), `${sum}  20200101T000000Z.dump\n`);
    const saved = await query('SELECT * FROM users ORDER BY id');
    // Of pg_restore; psql tells its end of the pipe at the same time, and cuts its line.
    await fails(backups.restore('20200101T000000Z.dump'), /could not read from input file/);
    assert.deepEqual(await query('SELECT * FROM users ORDER BY id'), saved);
  });

  it('are restored in one transaction, only when nothing uses the database, and can be backed up again', async () => {
    const saved = await query('SELECT * FROM users ORDER BY id');
    await succeeds(backups.backup());
    await query("INSERT INTO users (name, email, password_hash) VALUES ('lost', 'lost@example.org', 'x')");
    await query('DELETE FROM users WHERE id > 100; CREATE TABLE of_a_newer_version (id INT)');
    const user = new pg.Client({ connectionString: servers.postgres.url });
    await user.connect();
    await fails(backups.restore(), /other sessions use the database: scale core/);
    await user.end();
    assert.match(await succeeds(backups.restore()), /is restored/);
    assert.deepEqual(await query('SELECT * FROM users ORDER BY id'), saved);
    assert.deepEqual(await query("SELECT to_regclass('of_a_newer_version') AS found"), [{ found: null }]);
    await succeeds(command(USER_MIGRATION, servers.postgres.url));
    const [next] = (await query(
      "INSERT INTO users (name, email, password_hash) VALUES ('next', 'next@example.org', 'x') RETURNING id::int",
    )) as {
      id: number;
    }[];
    // 500 in the backup, one more after it: whoever comes next is neither of them.
    assert.equal(next?.id, 501 + 1000 + 1);
    await succeeds(backups.backup());
    await succeeds(backups.restore());
    assert.equal((await query("SELECT id FROM users WHERE name = 'next'")).length, 1);
  });
});
