// What bounds a call: time limits towards MySQL, the limit on messages. The number of queries: query-counts.test.ts.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connectMysql, createMysqlPool, toBinary } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { startCoreStack, type CoreStack, type Reply } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freeze } from '../../helpers/freeze.ts';

let stack: CoreStack;
before(async () => {
  stack = await startCoreStack({ RATE_MESSAGE_BURST: '5', RATE_MESSAGE_PER_SECOND: '0.01' }, { own: ['mysql'] });
});
after(() => stack?.stop());
const call = (...args: Parameters<CoreStack['call']>): Promise<Reply> => stack.call(...args);

async function groupOf(creator: number, memberIds: number[]): Promise<string> {
  const { body } = await call(creator, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: [] });
  if (memberIds.length > 0) {
    await stack.mysql.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [
      memberIds.map((userId) => [toBinary(body.id), userId, 'member', 'active', new Date()]),
    ]);
  }
  return body.id;
}
test('messages by REST have a limit per user, with the time to wait', async () => {
  const { body: room } = await call(6, 'POST', '/api/rooms/direct', { other_user_id: 7 });
  const say = (userId: number) => call(userId, 'POST', `/api/rooms/${room.id}/messages`, { content: 'x' });
  for (let index = 0; index < 5; index++) assert.equal((await say(6)).status, 201);
  const { status, body, headers } = await say(6);
  assert.deepEqual(
    [status, body.code, headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')],
    [429, 'rate_limited', '5', '0'],
  );
  assert.ok(Number(headers.get('retry-after')) > 50);
  assert.equal((await say(7)).status, 201);
});

describe('towards MySQL', () => {
  test('a lock that is held too long makes a call fail in time, and the next one work', async () => {
    const roomId = await groupOf(8, []);
    const holder = await connectMysql(stack.servers.mysql.url);
    await holder.beginTransaction();
    await holder.query('SELECT id FROM rooms WHERE id = ? FOR UPDATE', [toBinary(roomId)]);
    const started = performance.now();
    const reply = await call(8, 'POST', `/api/rooms/${roomId}/hide`);
    const seconds = (performance.now() - started) / 1000;
    assert.deepEqual([reply.status, reply.body.code], [503, 'overloaded']);
    assert.ok(seconds < 25, `${seconds} s`);
    await holder.rollback();
    await holder.end();
    assert.equal((await call(8, 'POST', `/api/rooms/${roomId}/hide`)).status, 204);
  });
  test('a statement without an answer ends, and its connection is never used again', async () => {
    const pool = createMysqlPool(stack.servers.mysql.url, { max: 1, limits: { statementMs: 300, connectionMs: 300, lockSeconds: 1 } });
    const idOf = async () => (await pool.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id'))[0][0]?.['id'] as number;
    const first = await idOf();
    await assert.rejects(pool.query('SELECT SLEEP(5)'), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' });
    assert.notEqual(await idOf(), first);
    const connection = await pool.getConnection();
    await assert.rejects(idOf(), { code: 'ETIMEDOUT' });
    connection.release();
    await eventually('the connection is free', async () => (await idOf()) > 0);
    await pool.end();
  });
  test('a frozen server costs each call some seconds, and nothing once it goes on', async () => {
    const roomId = await groupOf(9, []);
    await freeze(stack.servers.mysql.pid);
    try {
      const started = performance.now();
      const replies = await Promise.all(Array.from({ length: 15 }, () => call(9, 'GET', `/api/rooms/${roomId}`)));
      const seconds = (performance.now() - started) / 1000;
      for (const reply of replies) assert.deepEqual([reply.status, reply.body.code], [503, 'unavailable']);
      assert.ok(seconds < 15, `${seconds} s`);
    } finally {
      stack.servers.mysql.kill('SIGCONT');
    }
    await eventually('core answers again', async () => (await call(9, 'GET', `/api/rooms/${roomId}`)).status === 200);
  });
});
