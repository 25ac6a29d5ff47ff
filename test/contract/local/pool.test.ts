// The servers that the files of a run share: each file gets something of its own, and what it gives back is gone.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { startOf } from '../../../kind/servers/src/processes/identity.ts';
import { eventually } from '../../helpers/eventually.ts';
import { lease } from '../../helpers/pool.ts';
import { root, sourceLoader } from '../../helpers/program.ts';

describe('the pool of servers', () => {
  let pool: ChildProcess;
  let path: string;
  before(async () => {
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    pool = spawn(process.execPath, [...sourceLoader, 'test/helpers/pool-main.ts'], { cwd: root, stdio: [...stdio] });
    [path] = (await once(pool, 'message')) as [string];
  });
  after(() => void (pool.connected && pool.disconnect()));

  const tablesOfMysql = async (url: string): Promise<unknown[]> => {
    const connection = await createConnection(url);
    try {
      const [rows] = await connection.query<RowDataPacket[]>('SHOW TABLES');
      return rows.flatMap((row) => Object.values(row) as unknown[]);
    } finally {
      await connection.end();
    }
  };
  const run = async (url: string, sql: string): Promise<unknown[]> => {
    if (url.startsWith('mysql:')) {
      const connection = await createConnection(url);
      await connection.query(sql).finally(() => connection.end());
      return [];
    }
    const client = new pg.Client({ connectionString: url });
    // The server ends a connection to a database that goes.
    client.on('error', () => {});
    await client.connect();
    return client
      .query<Record<string, unknown>>(sql)
      .then(({ rows }) => rows)
      .finally(() => client.end());
  };

  test('two files have each a database of MySQL on one server, and neither sees that of the other', async () => {
    const [one, two] = [await lease('mysql', path), await lease('mysql', path)];
    assert.equal(one.value.port, two.value.port);
    await run(one.value.url, 'CREATE TABLE mine (id INT PRIMARY KEY)');
    assert.deepEqual(await tablesOfMysql(one.value.url), ['mine']);
    assert.deepEqual(await tablesOfMysql(two.value.url), []);
    const other = new URL(two.value.url);
    other.pathname = new URL(one.value.url).pathname;
    await assert.rejects(tablesOfMysql(other.href), /Access denied/);
    one.end();
    two.end();
  });

  test('a database that is given back is gone, also when its file was killed', async () => {
    const given = await lease('postgres', path);
    await run(given.value.url, 'CREATE TABLE mine (id int)');
    // What the kernel does for a process that is killed.
    given.end();
    await eventually('the database is gone', () =>
      run(given.value.url, 'SELECT 1').then(
        () => false,
        () => true,
      ),
    );
    const next = await lease('postgres', path);
    assert.deepEqual(await run(next.value.url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"), []);
    next.end();
  });

  test('what there is not is told, and the others go on', async () => {
    await assert.rejects(lease('oracle' as 'mysql', path), /no oracle/);
    (await lease('postgres', path)).end();
  });

  test('it ends with the runner, and leaves no folder', async () => {
    const folder = path.replace(/\/[^/]*$/, '');
    assert.ok(existsSync(folder));
    const ended = once(pool, 'exit');
    pool.disconnect();
    assert.deepEqual(await ended, [0, null]);
    assert.ok(!existsSync(folder));
    assert.equal(startOf(pool.pid ?? 0), undefined);
  });
});
