// Presence by REST, with a real chat replica that says who is online.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chatConfig, startChat, type ChatService } from '@parley/chat';
import { loadConfig } from '@parley/kit/process';
import { NO_LIMITS } from '../../helpers/chat-cluster.ts';
import { WsClient } from '../../helpers/ws-client.ts';
import { log, startCoreStack, type CoreStack } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

let stack: CoreStack;
let chat: ChatService;
const clients: WsClient[] = [];
before(async () => {
  stack = await startCoreStack();
  const config = loadConfig(chatConfig, { ...stack.env, ...NO_LIMITS, DRAIN_WINDOW_MS: '0' }, () => '');
  chat = await startChat({ config, log, instance: 'chat-1' });
});
after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await chat?.close();
  await stack?.stop();
});

async function connect(userId: number): Promise<WsClient> {
  const client = await WsClient.login(`ws://127.0.0.1:${chat.port}/api/ws`, await stack.issuer.token(userId, { name: `name ${userId}` }));
  clients.push(client);
  return client;
}
const ask = (userId: number, ids: string) => stack.call(userId, 'GET', `/api/presence?user_ids=${ids}`);
type Shown = { user_id: number; online: boolean; last_seen?: string }[];
/** Nobody while the answer is an error. */
const shown = async (userId: number, ids: string) => ((await ask(userId, ids)).body.users ?? []) as unknown as Shown;
const onlineOf = async (userId: number, ids: string) =>
  (await shown(userId, ids)).filter((each) => each.online).map((each) => each.user_id);
const direct = (one: number, other: number) => stack.call(one, 'POST', '/api/rooms/direct', { other_user_id: other });

test('those who share a room are shown online, in the order asked, and with the time when they went', async () => {
  await direct(1, 2);
  await direct(1, 3);
  const before = Date.now();
  const two = await connect(2);
  await eventually('user 2 is online', async () => (await onlineOf(1, '3,2')).includes(2));
  assert.deepEqual(await shown(1, '3,2,1,3'), [
    { user_id: 3, online: false },
    { user_id: 2, online: true },
    { user_id: 1, online: false },
  ]);
  assert.deepEqual(await onlineOf(2, '2'), [2], 'oneself needs no room');
  await two.close();
  await eventually('user 2 is offline', async () => (await onlineOf(1, '2')).length === 0);
  const [gone] = await shown(1, '2');
  const seen = Date.parse(gone?.last_seen ?? '');
  assert.ok(seen >= before - 1000 && seen <= Date.now() + 1000, gone?.last_seen);
});

test('a stranger, a member who left and nobody at all look the same: offline, never seen', async () => {
  await connect(4);
  await connect(5);
  const { body: room } = await stack.call(6, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: [5] });
  const invitation = (await stack.call(5, 'GET', '/api/invitations')).body.invitations[0]?.id;
  await stack.call(5, 'POST', `/api/invitations/${invitation}/accept`);
  await eventually('user 5 is online', async () => (await onlineOf(6, '5')).includes(5));
  assert.equal((await stack.call(5, 'POST', `/api/rooms/${room.id}/leave`)).status, 204);
  assert.deepEqual(
    await shown(6, '4,5,999999'),
    [4, 5, 999999].map((user_id) => ({ user_id, online: false })),
  );
});

test('refuses what is no list of up to 100 ids', async () => {
  const wrong = ['', '0', '1,', 'a', '1;2', Array.from({ length: 101 }, (_, index) => index + 1).join(',')];
  for (const ids of wrong) {
    const { status, body } = await ask(1, ids);
    assert.deepEqual([status, body.code], [400, 'invalid_request'], ids);
    assert.match(body.detail ?? '', /user_ids/);
  }
  assert.equal((await ask(1, Array.from({ length: 100 }, (_, index) => index + 1).join(','))).status, 200);
  assert.equal((await stack.call(undefined, 'GET', '/api/presence?user_ids=1')).status, 401);
});

test('says 503 while Redis is away, because nobody knows, and knows again afterwards', async () => {
  await stack.servers.redis.stop();
  const { status, body } = await ask(1, '2');
  assert.deepEqual([status, body.code, body.retry_after_ms], [503, 'unavailable', 1000]);
  await stack.servers.start('redis');
  await eventually('user 4, who stayed connected, is online again', async () => (await onlineOf(4, '4')).includes(4));
});
