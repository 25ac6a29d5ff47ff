// The writer on a real database under what goes wrong: deadlocks, commits of unknown outcome, rows that cannot be stored, a slow server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  chatMigrations,
  connectMysql,
  connectWriter,
  createMysqlPool,
  MessageWriter,
  mysqlMigrations,
  newId,
  toBinary,
  type AppendResult,
  type MysqlPool,
  type NewMessage,
  type RoomBatch,
  type WriterOptions,
} from '@parley/chat-store';
import { migrate } from '@parley/kit/sql';
import type { RowDataPacket } from 'mysql2';
import { createRoom, quiet } from '../../helpers/chat-cluster.ts';
import { freeze } from '../../helpers/freeze.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.ts';

describe('writer', () => {
  let servers: Servers<'mysql'>;
  let pool: MysqlPool;
  let proxy: TcpProxy;
  let proxied: string;
  const writers: MessageWriter[] = [];
  before(async () => {
    servers = await startServers(['mysql'], { own: true });
    pool = createMysqlPool(servers.mysql.url);
    const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
    await migrate(mysqlMigrations(connection), chatMigrations(), quiet);
    await connection.end();
    proxy = await startTcpProxy(new URL(servers.mysql.url));
    const url = new URL(servers.mysql.url);
    url.port = String(proxy.port);
    proxied = url.toString();
  });
  after(async () => {
    await Promise.all(writers.map((writer) => writer.close()));
    await pool.end();
    await proxy.close();
    await servers.stop();
  });

  const open = async (options: Partial<WriterOptions> & { url?: string } = {}) => {
    const commits: RoomBatch[] = [];
    const { url = servers.mysql.url, ...more } = options;
    const writer = new MessageWriter({
      connect: () => connectWriter(url),
      onCommit: (rooms) => commits.push(...rooms),
      log: quiet,
      ...more,
    });
    writers.push(writer);
    await writer.open();
    return { writer, commits };
  };
  const message = (roomId: string, over: Partial<NewMessage> = {}): NewMessage => ({
    ...{ id: newId(), roomId, senderId: 1, senderName: 'alice', content: 'text', messageType: 'text', metadata: null },
    clientMsgId: undefined,
    ...over,
  });
  const send = (writer: MessageWriter, sent: NewMessage) =>
    new Promise<AppendResult | string>((resolve) => {
      const outcome = writer.submit({ message: sent, settle: resolve });
      if (!outcome.ok) resolve(outcome.code);
    });
  const stored = async (roomId: string) => {
    const [rows] = await pool.query<RowDataPacket[]>('SELECT seq, client_msg_id AS id FROM messages WHERE room_id = ? ORDER BY seq', [
      toBinary(roomId),
    ]);
    return rows as { seq: number; id: string | null }[];
  };
  const dense = (rows: { seq: number }[]) =>
    assert.deepEqual(
      rows.map((row) => row.seq),
      rows.map((_, index) => index + 1),
    );

  test('two writers in many rooms at once: every message once, every room dense', async () => {
    const rooms = await Promise.all(Array.from({ length: 12 }, () => createRoom(pool, [1])));
    const both = [await open(), await open()];
    const results = await Promise.all(
      Array.from({ length: 1200 }, (_, index) =>
        send(both[index % 2]?.writer as MessageWriter, message(rooms[index % 12] as string, { clientMsgId: `m${index}` })),
      ),
    );
    assert.ok(results.every((result) => typeof result === 'object' && result.ok && !result.duplicate));
    for (const room of rooms) {
      const rows = await stored(room);
      assert.equal(rows.length, 100);
      dense(rows);
    }
  });

  test('a deadlock with another transaction is repeated, not answered', async () => {
    const room = await createRoom(pool, [1, 2]);
    const failures: string[] = [];
    const { writer } = await open({ observe: (event) => 'failed' in event && failures.push(event.failed) });
    await pool.query('UPDATE room_members SET hidden_at = UTC_TIMESTAMP(3) WHERE room_id = ? AND user_id = 2', [toBinary(room)]);
    await pool.query('UPDATE rooms SET hidden_count = 1 WHERE id = ?', [toBinary(room)]);
    const other = await pool.getConnection();
    await other.beginTransaction();
    // The server ends the transaction that has changed less.
    await other.query('INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ?', [
      Array.from({ length: 500 }, () => ['t', 'k', '{}', new Date()]),
    ]);
    await other.query('UPDATE room_members SET last_read_seq = 1 WHERE room_id = ? AND user_id = 2', [toBinary(room)]);
    const sending = send(writer, message(room, { clientMsgId: 'd' }));
    // The writer holds the room and waits for the member; now the other way round.
    await sleep(100);
    await other.query('SELECT id FROM rooms WHERE id = ? FOR UPDATE', [toBinary(room)]);
    await other.rollback();
    other.release();
    const result = await sending;
    assert.ok(typeof result === 'object' && result.ok);
    assert.deepEqual(failures, ['conflict']);
    assert.equal((await stored(room)).length, 1);
  });

  test('the connection is cut in the middle of a commit: each message is stored once, its ack is the stored row', async () => {
    const room = await createRoom(pool, [1]);
    const { writer } = await open({ url: proxied, lanes: 1 });
    const cutting = (async () => {
      for (let cut = 0; cut < 6; cut++) {
        await sleep(30);
        proxy.cut();
      }
    })();
    const answers = new Map<string, AppendResult | string>();
    for (let index = 0; index < 120; index++) {
      // The client's rule: the same id until it is acked.
      for (let attempt = 0; attempt < 100; attempt++) {
        const result = await send(writer, message(room, { clientMsgId: `c${index}` }));
        answers.set(`c${index}`, result);
        if (typeof result === 'object' && result.ok) break;
        await sleep(20);
      }
    }
    await cutting;
    const rows = await stored(room);
    dense(rows);
    assert.deepEqual(
      rows.map((row) => row.id),
      [...answers.keys()],
    );
    for (const { seq, id } of rows) {
      const result = answers.get(id ?? '');
      assert.ok(typeof result === 'object' && result.ok && result.stored.seq === seq);
    }
  });

  test('a row that cannot be stored fails alone; its batch does not sink with it', async () => {
    const room = await createRoom(pool, [1]);
    const { writer, commits } = await open({ lanes: 1 });
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        send(writer, message(room, { clientMsgId: `p${index}`, ...(index === 17 ? { senderName: 'x'.repeat(500) } : {}) })),
      ),
    );
    results.forEach((result, index) => {
      assert.ok(typeof result === 'object');
      assert.deepEqual(result.ok ? 'ok' : result.code, index === 17 ? 'internal' : 'ok');
    });
    const rows = await stored(room);
    dense(rows);
    assert.equal(rows.length, 39);
    assert.equal(
      commits.reduce((sum, batch) => sum + batch.entries.length, 0),
      39,
    );
  });

  test('who was a member at the submission but not at the commit is refused', async () => {
    const room = await createRoom(pool, [1, 2]);
    const { writer } = await open({ lanes: 1 });
    const other = await pool.getConnection();
    await other.beginTransaction();
    await other.query('SELECT id FROM rooms WHERE id = ? FOR UPDATE', [toBinary(room)]);
    const sending = send(writer, message(room, { senderId: 2 }));
    await other.query(`UPDATE room_members SET state = 'removed' WHERE room_id = ? AND user_id = 2`, [toBinary(room)]);
    await sleep(50);
    await other.commit();
    other.release();
    assert.deepEqual(await sending, { ok: false, code: 'not_a_member' });
    assert.deepEqual(await stored(room), []);
  });

  test('a message shows a hidden room again', async () => {
    const room = await createRoom(pool, [1, 2]);
    await pool.query('UPDATE room_members SET hidden_at = UTC_TIMESTAMP(3) WHERE room_id = ? AND user_id = 2', [toBinary(room)]);
    await pool.query('UPDATE rooms SET hidden_count = 1 WHERE id = ?', [toBinary(room)]);
    const { writer } = await open();
    await send(writer, message(room));
    const [rows] = await pool.query<RowDataPacket[]>(
      'SELECT hidden_at, hidden_count FROM room_members m JOIN rooms r ON r.id = m.room_id WHERE room_id = ? AND user_id = 2',
      [toBinary(room)],
    );
    assert.deepEqual([rows[0]?.['hidden_at'], rows[0]?.['hidden_count']], [null, 0]);
  });

  test('a server that does not answer: the queue is bounded, and what is beyond it is refused at once', async () => {
    const room = await createRoom(pool, [1]);
    const { writer } = await open({ queueMax: 50, waitMaxMs: 60_000 });
    await freeze(servers.mysql.pid);
    try {
      const sending = Array.from({ length: 300 }, (_, index) => send(writer, message(room, { clientMsgId: `q${index}` })));
      const refused = (await Promise.all(sending.map((each) => Promise.race([each, sleep(200, 'waits')])))).filter(
        (result) => result === 'overloaded',
      );
      assert.ok(refused.length >= 100, `${refused.length} refused`);
      assert.ok(writer.queued <= 50);
      servers.mysql.kill('SIGCONT');
      const results = await Promise.all(sending);
      const acked = results.filter((result) => typeof result === 'object' && result.ok);
      assert.equal((await stored(room)).length, acked.length);
      assert.equal(acked.length + results.filter((result) => result === 'overloaded').length, 300);
    } finally {
      servers.mysql.kill('SIGCONT');
    }
  });

  test('one outbox row for each room and batch', async () => {
    const room = await createRoom(pool, [1]);
    await pool.query('DELETE FROM outbox');
    const { writer, commits } = await open({ lanes: 1 });
    await Promise.all(Array.from({ length: 80 }, () => send(writer, message(room))));
    const [rows] = await pool.query<RowDataPacket[]>('SELECT payload FROM outbox ORDER BY id');
    const ranges = rows.map((row) => JSON.parse(row['payload'] as string) as { from_seq: number; to_seq: number });
    assert.equal(ranges.length, commits.length);
    assert.deepEqual(
      ranges.flatMap(({ from_seq, to_seq }) => Array.from({ length: to_seq - from_seq + 1 }, (_, index) => from_seq + index)),
      Array.from({ length: 80 }, (_, index) => index + 1),
    );
  });
});
