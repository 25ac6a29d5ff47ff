// Who may hold a socket: tickets, expiring and revoked tokens, caps and rates of users and addresses.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { announceRevocation } from '@parley/kit/tokens';
import { createTicket } from '@parley/live';
import { quiet, startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { WsClient } from '../../helpers/ws-client.ts';

describe('access', () => {
  let cluster: ChatCluster;
  let redis: RedisClient;
  let one: Replica;
  let two: Replica;
  let nextUser = 100;
  before(async () => {
    cluster = await startChatCluster(2, {
      MAX_CONNECTIONS_PER_USER: '3',
      RATE_MESSAGE_BURST: '8',
      RATE_MESSAGE_PER_SECOND: '4',
      RATE_TYPING_BURST: '2',
      RATE_TYPING_PER_SECOND: '0.5',
    });
    [one, two] = cluster.replicas as [Replica, Replica];
    redis = createRedis(cluster.servers.redis.url, 'test', quiet);
    await once(redis, 'ready');
  });
  after(async () => {
    redis.disconnect();
    await cluster.stop();
  });

  const identity = (userId: number) => ({
    ...{ userId, name: `user ${userId}`, email: '', jti: `jti-${userId}`, sid: `sid-${userId}` },
    issuedAtMs: Date.now(),
    expiresAtMs: Date.now() + 60_000,
  });

  test('a ticket lets its user in once', async () => {
    const { ticket } = await createTicket(redis, identity(7));
    const client = await WsClient.open(`${one.url}?ticket=${ticket}`);
    assert.equal((await client.next((frame) => frame.type === 'welcome'))['user_id'], 7);
    const again = await WsClient.open(`${two.url}?ticket=${ticket}`);
    assert.equal((await again.waitClosed()).code, 4401);
    await client.close();
  });

  test('a token in the first frame, in the query or in a header', async () => {
    const token = await cluster.issuer.token(nextUser++);
    const first = await WsClient.open(one.url);
    first.send({ type: 'ping' });
    first.send({ type: 'auth', token });
    await first.next((frame) => frame.type === 'pong');
    assert.equal(first.frames[0]?.type, 'welcome', 'what was sent before waits for the token');
    const native = await WsClient.open(one.url, { authorization: `Bearer ${token}` });
    await native.next((frame) => frame.type === 'welcome');
    await Promise.all([first.close(), native.close()]);
  });

  test('a token that comes while another one is verified is the next', async () => {
    const user = nextUser++;
    const token = await cluster.issuer.token(user);
    const client = await WsClient.open(`${one.url}?token=${token}`);
    client.send({ type: 'auth', token: await cluster.issuer.token(user + 1000) });
    assert.equal((await client.next((frame) => frame.type === 'error'))['code'], 'invalid_token', 'that of another user was looked at');
    assert.equal(client.frames[0]?.type, 'welcome');
    // Of several the last one is never left out.
    client.send({ type: 'auth', token });
    client.send({ type: 'auth', token: await cluster.issuer.token(user + 1001) });
    client.send({ type: 'auth', token: 'no token at all' });
    await client.next((frame) => frame['message'] === 'The token is not valid');
    assert.equal(client.closed, undefined, 'it keeps the token that it has');
    await client.close();
  });

  test('a token that runs out is announced, renewed in band, and otherwise closes the socket', async () => {
    const user = nextUser++;
    const client = await WsClient.login(one.url, await cluster.issuer.token(user, { expiresInSeconds: 20 }));
    const warning = await client.next((frame) => frame.type === 'token_expiring');
    assert.ok(Number(warning['expires_in_ms']) <= 20_000);
    client.send({ type: 'auth', token: await cluster.issuer.token(user + 1000) });
    assert.equal(
      (await client.next((frame) => frame.type === 'error'))['code'],
      'invalid_token',
      'another user cannot take the socket over',
    );
    client.send({ type: 'auth', token: await cluster.issuer.token(user) });
    client.send({ type: 'ping' });
    await client.next((frame) => frame.type === 'pong');
    assert.equal(client.closed, undefined);
    await client.close();
  });

  test('a revoked login closes its sockets on every replica and does not come back', async () => {
    const user = nextUser++;
    const token = await cluster.issuer.token(user, { sid: 'login-a' });
    const other = await WsClient.login(two.url, await cluster.issuer.token(user, { sid: 'login-b' }));
    const sockets = [await WsClient.login(one.url, token), await WsClient.login(two.url, token)];
    const now = Date.now();
    await announceRevocation(redis, { kind: 'login', id: 'login-a', before_ms: now, until_ms: now + 900_000, final: false }, now);
    for (const socket of sockets) assert.equal((await socket.waitClosed()).code, 4401);
    const back = await WsClient.open(`${one.url}?token=${token}`);
    assert.equal((await back.waitClosed()).code, 4401);
    assert.equal(other.closed, undefined, 'another login of the same user stays');
    await other.close();
  });

  test('a disabled user is out for good', async () => {
    const user = nextUser++;
    const client = await WsClient.login(one.url, await cluster.issuer.token(user));
    const now = Date.now();
    await announceRevocation(redis, { kind: 'user', id: String(user), before_ms: now, until_ms: now + 900_000, final: true }, now);
    assert.equal((await client.waitClosed()).code, 4403);
    const back = await WsClient.open(`${two.url}?token=${await cluster.issuer.token(user)}`);
    assert.equal((await back.waitClosed()).code, 4403);
  });

  test('a revocation that was announced before a replica started is known to it', async () => {
    const user = nextUser++;
    const token = await cluster.issuer.token(user, { jti: 'stolen' });
    const now = Date.now();
    await announceRevocation(redis, { kind: 'token', id: 'stolen', before_ms: now, until_ms: now + 900_000, final: false }, now);
    const late = await cluster.startReplica('chat-late');
    const client = await WsClient.open(`${late.url}?token=${token}`);
    assert.equal((await client.waitClosed()).code, 4401);
    await late.kill('SIGKILL');
  });

  test('the oldest connection makes room for one too many, also on another replica', async () => {
    const user = nextUser++;
    const token = await cluster.issuer.token(user);
    const sockets: WsClient[] = [];
    for (const replica of [one, two, one]) sockets.push(await WsClient.login(replica.url, token));
    sockets.push(await WsClient.login(two.url, token));
    const [oldest, ...others] = sockets as [WsClient, ...WsClient[]];
    await oldest.next((frame) => frame.type === 'connection_replaced');
    assert.equal((await oldest.waitClosed()).code, 4409);
    for (const socket of others) {
      socket.send({ type: 'ping' });
      await socket.next((frame) => frame.type === 'pong');
    }
    await Promise.all(others.map((socket) => socket.close()));
  });

  /** Refusals of an event that both replicas have counted. */
  const countedRefusals = async (event: string): Promise<number> => {
    const texts = await Promise.all([one, two].map(async ({ adminUrl }) => (await fetch(`${adminUrl}/metrics`)).text()));
    const pattern = new RegExp(`^rate_limit_exceeded_total\\{[^}]*event="${event}"[^}]*\\} (\\d+)`, 'm');
    return texts.reduce((sum, text) => sum + Number(pattern.exec(text)?.[1] ?? 0), 0);
  };

  test('messages beyond the rate are refused by name and not stored, over all replicas together', async () => {
    const user = nextUser++;
    const room = await cluster.room([user]);
    const token = await cluster.issuer.token(user);
    const sockets = [await WsClient.login(one.url, token), await WsClient.login(two.url, token)];
    const before = await countedRefusals('message');
    const ids = Array.from({ length: 30 }, (_, index) => `flood-${index}`);
    ids.forEach((id, index) => sockets[index % 2]?.send({ type: 'message', room_id: room, content: id, client_msg_id: id }));
    const answers = () => sockets.flatMap((socket) => socket.frames.filter((frame) => frame['client_msg_id'] !== undefined));
    await sockets[0]?.until(() => answers().length >= ids.length || undefined);
    const acked = answers().filter((frame) => frame.type === 'ack');
    const refused = answers().filter((frame) => frame.type === 'rate_limit_exceeded');
    assert.equal(acked.length + refused.length, ids.length);
    // A burst of 8 and what comes back meanwhile.
    assert.ok(acked.length >= 6 && acked.length <= 14, `${acked.length} accepted`);
    assert.ok(refused.every((frame) => Number(frame['retry_after']) > 0));
    assert.equal((await countedRefusals('message')) - before, refused.length, 'each refusal is counted once');
    const stored = (await cluster.rows(room)).map((row) => row.client_msg_id).sort();
    assert.deepEqual(stored, acked.map((frame) => frame['client_msg_id']).sort());
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  test('too many connections from one address are refused with a reason', async () => {
    const strict = await cluster.startReplica('chat-strict', {
      MAX_CONNECTIONS_PER_IP: '2',
      RATE_CONNECT_BURST: '4',
      RATE_CONNECT_PER_SECOND: '0.1',
    });
    const sockets = [await WsClient.open(strict.url), await WsClient.open(strict.url)];
    const third = new WsClient(strict.url);
    const [, refused] = (await once(third.socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    assert.equal(refused.statusCode, 429);
    third.socket.terminate();
    await Promise.all(sockets.map((socket) => socket.close()));
    const more: WsClient[] = [];
    for (let index = 0; index < 6; index++) {
      const socket = await WsClient.open(strict.url);
      more.push(socket);
      socket.send({ type: 'ping' });
      await socket.close();
    }
    assert.ok(more.some((socket) => socket.frames.some((frame) => frame.type === 'rate_limit_exceeded')));
    await strict.kill('SIGKILL');
  });
});
