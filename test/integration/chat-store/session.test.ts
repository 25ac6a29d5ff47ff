// What a session of the chat database is: safe under whatever the server is set to, refused where it cannot be made so, closed when its
// first text fails.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  chatMigrations,
  connectMysql,
  connectWriter,
  createMysqlPool,
  MessageWriter,
  mysqlLimits,
  mysqlMigrations,
  newId,
  readEntries,
  toBinary,
  type AppendResult,
  type MysqlPool,
} from '@parley/chat-store';
import { ConfigError } from '@parley/kit/process';
import { migrate } from '@parley/kit/sql';
import { createRoom, quiet, startChatCluster } from '../../helpers/chat-cluster.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { startTcpProxy } from '../../helpers/tcp-proxy.ts';

const through = (url: string, port: number): string => Object.assign(new URL(url), { port: String(port) }).toString();

/** What a pooler does that shares sessions: the setting is taken and never reaches the session. */
const swallow = (piece: Buffer): Buffer =>
  Buffer.from(piece.toString('latin1').replace('SET SESSION sql_mode', 'SET @SESSION_sql_mod'), 'latin1');

describe('a server without backslash escapes and without strict tables', () => {
  let servers: Servers<'mysql'>;
  let pool: MysqlPool;
  let writer: MessageWriter;
  before(async () => {
    servers = await startServers(['mysql'], { own: true, mysqlSettings: ['sql-mode=NO_BACKSLASH_ESCAPES'] });
    const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
    await migrate(mysqlMigrations(connection), chatMigrations(), quiet);
    await connection.end();
    pool = createMysqlPool(servers.mysql.url);
    writer = new MessageWriter({ connect: () => connectWriter(servers.mysql.url), onCommit: () => {}, log: quiet });
    await writer.open();
  });
  after(async () => {
    await writer?.close();
    await pool?.end();
    await servers?.stop();
  });
  const send = (roomId: string, content: string, senderName = 'alice') =>
    new Promise<AppendResult | string>((resolve) => {
      const message = { id: newId(), roomId, senderId: 1, senderName, content, messageType: 'text' as const, metadata: { quote: content } };
      const outcome = writer.submit({ message: { ...message, clientMsgId: undefined }, settle: resolve });
      if (!outcome.ok) resolve(outcome.code);
    });

  test('quotes and backslashes in messages are stored as they were sent, by the writer and by a pool', async () => {
    const room = await createRoom(pool, [1]);
    const texts = [`it's`, `\\' OR 1=1; DROP TABLE messages; -- `, 'a "b" \\ c', `','x'),('`];
    for (const text of texts) {
      const result = await send(room, text);
      assert.ok(typeof result === 'object' && result.ok, text);
    }
    const entries = await readEntries(pool, room, { afterSeq: 0, limit: 10 });
    assert.deepEqual(
      entries.map(({ content, metadata }) => [content, metadata]),
      texts.map((text) => [text, { quote: text }]),
    );
    await pool.query('UPDATE rooms SET name = ? WHERE id = ?', [texts[1], toBinary(room)]);
    const [rows] = await pool.query('SELECT name FROM rooms WHERE id = ?', [toBinary(room)]);
    assert.deepEqual(rows, [{ name: texts[1] }]);
  });

  test('a value that is too long is refused, not cut', async () => {
    const room = await createRoom(pool, [1]);
    assert.deepEqual(await send(room, 'x', 'n'.repeat(500)), { ok: false, code: 'internal' });
    await assert.rejects(pool.query('UPDATE rooms SET name = ? WHERE id = ?', ['n'.repeat(500), toBinary(room)]), {
      code: 'ER_DATA_TOO_LONG',
    });
  });
});

test('a service does not start where its sessions lose sql_mode, and says why and what to do', async () => {
  const cluster = await startChatCluster(0);
  const proxy = await startTcpProxy(new URL(cluster.servers.mysql.url), { change: swallow });
  const url = through(cluster.servers.mysql.url, proxy.port);
  const pool = createMysqlPool(url);
  try {
    const refused = (error: unknown) => error instanceof ConfigError && /sql_mode.*let it keep SET SESSION/.test(error.message);
    await assert.rejects(connectWriter(url), refused, 'the writer');
    await assert.rejects(connectMysql(url, { multipleStatements: true }), refused, 'migrations');
    await assert.rejects(pool.query('SELECT 1'), refused, 'a pool');
    await assert.rejects(cluster.startReplica('chat-swallowed', { DATABASE_URL: url }), /ended \(78\).*sql_mode.*let it keep SET SESSION/s);
    await eventually('none of their connections is open', () => proxy.open === 0);
  } finally {
    await pool.end();
    await proxy.close();
    await cluster.stop();
  }
});

test('a server that accepts and does not answer the first text: each try leaves no socket', async () => {
  const servers = await startServers(['mysql']);
  const deaf = (piece: Buffer): Buffer => (piece.includes('SET SESSION') ? Buffer.alloc(0) : piece);
  const proxy = await startTcpProxy(new URL(servers.mysql.url), { change: deaf });
  const url = through(servers.mysql.url, proxy.port);
  const limits = mysqlLimits(300);
  const pool = createMysqlPool(url, { limits });
  try {
    for (let attempt = 0; attempt < 4; attempt++) {
      await assert.rejects(connectWriter(url, limits), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' });
      await assert.rejects(connectMysql(url, { limits }), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' });
      await assert.rejects(pool.query('SELECT 1'), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' });
    }
    assert.equal(proxy.accepted, 12);
    await eventually('all of their sockets are closed', () => proxy.open === 0);
  } finally {
    await pool.end();
    await proxy.close();
    await servers.stop();
  }
});
