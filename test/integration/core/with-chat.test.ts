// Core and chat replicas on one database: what a change by REST means for live sockets.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chatConfig, startChat, type ChatService } from '@parley/chat';
import { loadConfig } from '@parley/kit/process';
import { NO_LIMITS } from '../../helpers/chat-cluster.ts';
import { WsClient, type Frame } from '../../helpers/ws-client.ts';
import { log, startCoreStack, type CoreStack, type Reply } from './core-stack.ts';

let stack: CoreStack;
const replicas: ChatService[] = [];
const clients: WsClient[] = [];
before(async () => {
  stack = await startCoreStack();
  for (const instance of ['chat-1', 'chat-2']) {
    const config = loadConfig(chatConfig, { ...stack.env, ...NO_LIMITS, DRAIN_WINDOW_MS: '0' }, () => '');
    replicas.push(await startChat({ config, log, instance }));
  }
});
after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(replicas.map((replica) => replica.close()));
  await stack?.stop();
});

const call = (...args: Parameters<CoreStack['call']>): Promise<Reply> => stack.call(...args);
async function connect(userId: number, replica: number): Promise<WsClient> {
  const url = `ws://127.0.0.1:${replicas[replica]?.port}/api/ws`;
  const client = await WsClient.login(url, await stack.issuer.token(userId, { name: `name ${userId}` }));
  clients.push(client);
  return client;
}
async function groupOf(creator: number, memberIds: number[]): Promise<string> {
  const { body } = await call(creator, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: memberIds });
  for (const userId of memberIds) {
    const { invitations } = (await call(userId, 'GET', '/api/invitations')).body;
    await call(userId, 'POST', `/api/invitations/${invitations.find((each) => each.room_id === body.id)?.id}/accept`);
  }
  return body.id;
}
const seqsOf = (client: WsClient, roomId: string) => client.messages(roomId).map((frame) => frame['seq'] as number);
const ofType = (type: string) => (frame: Frame) => frame.type === type;

test('nothing after the leave reaches the leaver while others write, and nothing before it is missing', async () => {
  for (let round = 0; round < 3; round++) {
    const roomId = await groupOf(1, [2, 3]);
    const [writer, leaver, stayer] = [await connect(1, 0), await connect(2, 1), await connect(3, 1)];
    const { seq: head } = await leaver.join(roomId);
    await stayer.join(roomId);
    await writer.join(roomId);
    let writing = true;
    const write = async (prefix: string) => {
      for (let index = 0; writing; index++)
        assert.equal((await writer.say(roomId, `${prefix} ${index}`, `${prefix}-${round}-${index}`)).type, 'ack');
    };
    const writers = Promise.all([write('a'), write('b')]);
    await leaver.until(() => (seqsOf(leaver, roomId).length > 20 ? true : undefined));
    assert.equal((await call(2, 'POST', `/api/rooms/${roomId}/leave`)).status, 204);
    await leaver.next((frame) => frame.type === 'left' && frame['room_id'] === roomId);
    const sent = writer.messages(roomId).length;
    await stayer.until(() => (seqsOf(stayer, roomId).length > sent + 20 ? true : undefined));
    writing = false;
    await writers;

    const entries = (await call(1, 'GET', `/api/rooms/${roomId}/messages?after_seq=0&limit=100`)).body;
    assert.ok(entries.messages.length > 0);
    const left = stayer.messages(roomId).find((frame) => (frame['metadata'] as { event?: string } | null)?.event === 'member_left');
    const seen = seqsOf(leaver, roomId);
    assert.equal(seen.at(-1), (left?.['seq'] as number) - 1);
    assert.deepEqual(
      seen,
      seen.map((_, index) => (head as number) + 1 + index),
    );
    assert.equal((await leaver.say(roomId, 'after', `after-${round}`))['code'], 'not_a_member');
    assert.equal((await leaver.join(roomId))['code'], 'not_a_member');
  }
});

test('a message by REST and messages by socket are one order for everybody, and acks agree', async () => {
  const roomId = await groupOf(4, [5]);
  const [one, two] = [await connect(4, 0), await connect(5, 1)];
  await one.join(roomId);
  await two.join(roomId);
  const calls = Array.from({ length: 30 }, (_, index) =>
    index % 2
      ? call(4, 'POST', `/api/rooms/${roomId}/messages`, { content: `rest ${index}` }).then((reply) => [reply.body.seq, reply.body.content])
      : one.say(roomId, `socket ${index}`, `s-${index}`).then((ack) => [ack['seq'], `socket ${index}`]),
  );
  const acked = (await Promise.all(calls)).sort((a, b) => (a[0] as number) - (b[0] as number));
  for (const client of [one, two]) {
    await client.until(() => (client.messages(roomId).length >= 30 ? true : undefined));
    assert.deepEqual(
      client.messages(roomId).map((frame) => [frame['seq'], frame['content']]),
      acked,
    );
  }
});

test('rooms, invitations, roles and names reach the sockets of those concerned, once', async () => {
  const [admin, guest] = [await connect(10, 0), await connect(11, 1)];
  const { body: room } = await call(10, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: [11] });
  await admin.next(ofType('room_created'));
  const { invitation_id } = await guest.next(ofType('invitation_received'));
  await admin.join(room.id);
  await call(11, 'POST', `/api/invitations/${String(invitation_id)}/accept`);
  await admin.next(ofType('member_joined'));
  await guest.next(ofType('invitation_updated'));
  await guest.join(room.id);
  await call(10, 'PATCH', `/api/rooms/${room.id}`, { name: 'other' });
  await call(10, 'PATCH', `/api/rooms/${room.id}/members/11`, { role: 'admin' });
  await call(11, 'DELETE', `/api/rooms/${room.id}`);
  for (const client of [admin, guest]) {
    await client.next((frame) => frame.type === 'left' && frame['room_id'] === room.id);
    const changes = client.frames.filter(ofType('room_changed')).map((frame) => frame['change']);
    assert.deepEqual(changes, ['name', 'role', 'deleted']);
  }
  for (const [client, types] of [
    [admin, ['room_created', 'member_joined', 'invitation_updated']],
    [guest, ['invitation_received', 'invitation_updated']],
  ] as const)
    for (const type of types) assert.equal(client.frames.filter(ofType(type)).length, 1, type);
});

test('a marker moved by REST reaches the own other devices and the other members', async () => {
  const { body: room } = await call(12, 'POST', '/api/rooms/direct', { other_user_id: 13 });
  const [device, other] = [await connect(12, 0), await connect(13, 1)];
  await device.join(room.id);
  await other.join(room.id);
  await other.say(room.id, 'hello', 'h-1');
  await call(12, 'POST', `/api/rooms/${room.id}/mark-read`, {});
  const unread = await device.next(ofType('unread_updated'));
  assert.deepEqual([unread['unread_count'], unread['last_read_seq']], [0, 1]);
  const receipt = await other.next(ofType('read'));
  assert.deepEqual([receipt['user_id'], receipt['seq']], [12, 1]);
  assert.equal(device.frames.filter(ofType('read')).length, 1);
});

test('a ticket opens a socket once', async () => {
  const { body } = await call(14, 'POST', '/api/ws-ticket');
  const url = `ws://127.0.0.1:${replicas[1]?.port}/api/ws?ticket=${body.ticket}`;
  const first = await WsClient.open(url);
  clients.push(first);
  assert.equal((await first.next(ofType('welcome')))['user_id'], 14);
  const second = await WsClient.open(url);
  clients.push(second);
  assert.equal((await second.waitClosed()).code, 4401);
});
