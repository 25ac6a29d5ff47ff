// Wrong tokens and wrong frames: a clear answer each, nothing crashes, nothing is half written.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { WsClient } from '../../helpers/ws-client.ts';

describe('bad input on the socket', () => {
  let cluster: ChatCluster;
  let replica: Replica;
  before(async () => {
    cluster = await startChatCluster(1);
    [replica] = cluster.replicas as [Replica];
  });
  after(() => cluster.stop());

  const invalid = async (send: unknown) => {
    const client = await cluster.login(replica, 1);
    client.send(send);
    const error = await client.next((frame) => frame.type === 'error');
    client.send({ type: 'ping' });
    await client.next((frame) => frame.type === 'pong');
    return error;
  };

  test('each way of authentication works', async () => {
    const token = await cluster.issuer.token(1);
    const byHeader = await WsClient.open(replica.url, { Authorization: `Bearer ${token}` });
    assert.equal((await byHeader.next((frame) => frame.type === 'welcome'))['user_id'], 1);
    const byFrame = await WsClient.open(replica.url);
    byFrame.send({ type: 'auth', token });
    assert.equal((await byFrame.next((frame) => frame.type === 'welcome'))['server'], 'chat-1');
    await Promise.all([byHeader.close(), byFrame.close()]);
  });

  test('a wrong token is told so and closed with 4401', async () => {
    for (const token of [
      'nonsense',
      await cluster.issuer.token(1, { audience: 'another' }),
      await cluster.issuer.token(1, { expiresInSeconds: -60 }),
    ]) {
      const client = await WsClient.open(`${replica.url}?token=${token}`);
      const error = await client.next((frame) => frame.type === 'error');
      assert.match(String(error['code']), /^(invalid_token|token_expired)$/);
      assert.equal((await client.waitClosed()).code, 4401);
    }
  });

  test('a socket that does not authenticate is closed with 4401', async () => {
    const client = await WsClient.open(replica.url);
    assert.equal((await client.waitClosed()).code, 4401);
  });

  test('an origin that is not on the list is refused at the upgrade', async () => {
    const client = new WsClient(replica.url, { Origin: 'https://evil.example' });
    assert.equal((await client.waitClosed()).code, 1006);
  });

  test('invalid JSON, an unknown type and a wrong field name what is wrong', async () => {
    assert.equal((await invalid('{"type":'))['code'], 'invalid_frame');
    assert.deepEqual((await invalid({ type: 'nonsense' }))['details'], {
      path: '/type',
      message: 'unknown type; known: auth, join_room, leave_room, message, read, typing, ping',
    });
    assert.equal(((await invalid({ type: 'join_room', room_id: 7 }))['details'] as { path: string }).path, '/room_id');
    assert.equal(
      ((await invalid({ type: 'message', room_id: '0'.repeat(8), content: 'x' }))['details'] as { path: string }).path,
      '/room_id',
    );
    assert.equal((await invalid(Buffer.from([1, 2, 3])))['code'], 'invalid_frame');
    assert.equal((await invalid([]))['code'], 'invalid_frame');
  });

  test('clients cannot send system messages', async () => {
    const room = await cluster.room([1]);
    const error = await invalid({ type: 'message', room_id: room, content: 'x', message_type: 'system' });
    assert.equal(error['code'], 'invalid_frame');
    assert.equal((await cluster.rows(room)).length, 0);
  });

  test('content above the limit is refused with its client_msg_id and not stored', async () => {
    const room = await cluster.room([1]);
    const client = await cluster.login(replica, 1);
    const refused = await client.say(room, 'é'.repeat(5000), 'big');
    assert.equal(refused['code'], 'message_too_large');
    assert.equal((await cluster.rows(room)).length, 0);
  });

  test('a frame of 1 MB is closed with 1009 and the replica lives', async () => {
    const client = await cluster.login(replica, 1);
    client.send(JSON.stringify({ type: 'message', content: 'x'.repeat(1024 * 1024) }));
    assert.equal((await client.waitClosed()).code, 1009);
    assert.equal((await fetch(`${replica.http}/api/health`)).status, 200);
  });

  test('ten wrong frames within a minute close the socket with 4400', async () => {
    const client = await cluster.login(replica, 1);
    for (let index = 0; index < 10; index++) client.send('{');
    assert.equal((await client.waitClosed()).code, 4400);
  });

  test('the token never appears in the log', async () => {
    const token = await cluster.issuer.token(1);
    const client = await WsClient.login(replica.url, token);
    await client.close();
    assert.ok(!replica.output().includes(token));
  });

  test('health, readiness and metrics answer', async () => {
    const health = (await (await fetch(`${replica.http}/api/health`)).json()) as Record<string, unknown>;
    assert.deepEqual([health['status'], health['service'], health['instance']], ['ok', 'chat', 'chat-1']);
    assert.equal((await fetch(`${replica.adminUrl}/readyz`)).status, 200);
    assert.equal((await fetch(`${replica.adminUrl}/healthz`)).status, 200);
    const metrics = await (await fetch(`${replica.adminUrl}/metrics`)).text();
    assert.match(metrics, /websocket_connections\{service="chat",instance="chat-1"\} \d+/);
    assert.equal((await fetch(`${replica.http}/metrics`)).status, 404);
  });
});
