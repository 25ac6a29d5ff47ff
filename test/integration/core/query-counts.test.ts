// How many statements each route costs: as many for one room, member, message or id as for fifty. Counted within the call itself, on the
// channels that traces are made of.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { after, before, test } from 'node:test';
import { toBinary } from '@parley/chat-store';
import { spanChannel, type Span } from '@parley/kit/tracing';
import type { coreOperations } from '@parley/protocol';
import { startCoreStack, type CoreStack, type Reply } from './core-stack.ts';

const MANY = 50;
let stack: CoreStack;
before(async () => {
  stack = await startCoreStack();
  // Every name is in the cache, so that it does not matter whose was looked up before.
  for (let userId = 1; userId < 120; userId++) await call(userId === 1 ? 2 : 1, 'GET', `/api/v1/users/${userId}`);
});
after(() => stack?.stop());
const call = (...args: Parameters<CoreStack['call']>): Promise<Reply> => stack.call(...args);

/** Statements of the calls under way; every call has a list of its own. */
const underWay = new AsyncLocalStorage<string[]>();
const finished: string[][] = [];
spanChannel.start.bindStore(underWay, (span) => (span.kind === 'server' ? [] : (underWay.getStore() ?? [])));
const nothing = () => {};
const spans = {
  start({ name, attributes }: Span) {
    const list = underWay.getStore();
    if (attributes['db.system.name'] === 'postgresql') list?.push(`postgres ${name}`);
    else if (name === 'GET' || name === 'POST' || name === 'PATCH' || name === 'DELETE') finished.push(list ?? []);
  },
  ...{ end: nothing, asyncStart: nothing, asyncEnd: nothing, error: nothing },
};
spanChannel.subscribe(spans);
const statement = ({ query }: { query: string }): void => {
  // Of a connection that the pool has opened for this call, once in its life.
  if (!/^(SET SESSION |SELECT @@SESSION\.)/.test(query)) underWay.getStore()?.push(`mysql ${query.slice(0, 60)}`);
};
tracingChannel<unknown, { query: string }>('mysql2:query').subscribe({
  start: statement,
  end: nothing,
  asyncStart: nothing,
  asyncEnd: nothing,
  error: nothing,
});

async function statementsOf(make: () => Promise<Reply>): Promise<string[]> {
  finished.length = 0;
  const reply = await make();
  assert.ok(reply.status < 300, JSON.stringify(reply.body));
  assert.equal(finished.length, 1, 'one call at a time');
  return finished[0] ?? [];
}

/** User ids; 100 and up are nobody's rooms' members. */
const people = (count: number, from = 10) => Array.from({ length: count }, (_, index) => index + from);

async function groupOf(creator: number, memberIds: readonly number[] = []): Promise<string> {
  const { body } = await call(creator, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: [] });
  if (memberIds.length > 0) {
    const rows = memberIds.map((userId) => [toBinary(body.id), userId, 'member', 'active', new Date()]);
    await stack.mysql.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [rows]);
  }
  return body.id;
}
async function say(userId: number, roomId: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await call(userId, 'POST', `/api/rooms/${roomId}/messages`, { content: `${index}` });
}
async function invitationOf(inviter: number, invited: number, memberIds: readonly number[] = []): Promise<string> {
  const roomId = await groupOf(inviter, memberIds);
  const { body } = await call(inviter, 'POST', `/api/rooms/${roomId}/members`, { user_ids: [invited] });
  return body.invitations[0]?.id ?? '';
}
/** A room of so many members beside user 1, who made it, and user 2. */
const inRoomOf = (make: (roomId: string) => Promise<Reply>) => async (size: number) => {
  const roomId = await groupOf(1, [2, ...people(size)]);
  return () => make(roomId);
};

/** A pair has one room: each call needs another one. */
let nextPartner = 20;

type Case = (size: number) => Promise<() => Promise<Reply>>;
const cases = {
  listUsers: async (size) => () => call(1, 'GET', `/api/v1/users?limit=${size}`),
  getOwnUser: async () => () => call(1, 'GET', '/api/v1/users/me'),
  getUser: async (size) => () => call(1, 'GET', `/api/v1/users/${size + 1}`),
  createRoom: async (size) => () => call(1, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: people(size) }),
  createDirectRoom: async () => {
    const other = nextPartner++;
    return () => call(3, 'POST', '/api/rooms/direct', { other_user_id: other });
  },
  listRooms: async (size) => {
    const userId = 100 + (size > 1 ? 1 : 0);
    for (let index = 0; index < size; index++) await say(userId, await groupOf(userId, people(size)), 1);
    return () => call(userId, 'GET', '/api/rooms?limit=100');
  },
  getRoom: inRoomOf((roomId) => call(1, 'GET', `/api/rooms/${roomId}`)),
  renameRoom: inRoomOf((roomId) => call(1, 'PATCH', `/api/rooms/${roomId}`, { name: 'another' })),
  deleteRoom: inRoomOf((roomId) => call(1, 'DELETE', `/api/rooms/${roomId}`)),
  leaveRoom: inRoomOf((roomId) => call(2, 'POST', `/api/rooms/${roomId}/leave`)),
  hideRoom: inRoomOf((roomId) => call(2, 'POST', `/api/rooms/${roomId}/hide`)),
  unhideRoom: inRoomOf((roomId) => call(2, 'POST', `/api/rooms/${roomId}/unhide`)),
  markRead: async (size) => {
    const roomId = await groupOf(1, [2, ...people(size)]);
    await say(1, roomId, size);
    return () => call(2, 'POST', `/api/rooms/${roomId}/mark-read`);
  },
  listMessages: async (size) => {
    const roomId = await groupOf(1, people(size));
    await say(1, roomId, size);
    return () => call(1, 'GET', `/api/rooms/${roomId}/messages?limit=100`);
  },
  sendMessage: inRoomOf((roomId) => call(1, 'POST', `/api/rooms/${roomId}/messages`, { content: 'hello' })),
  listMembers: inRoomOf((roomId) => call(1, 'GET', `/api/rooms/${roomId}/members?limit=100`)),
  inviteMembers: async (size) => {
    const roomId = await groupOf(1);
    return () => call(1, 'POST', `/api/rooms/${roomId}/members`, { user_ids: people(size) });
  },
  changeRole: inRoomOf((roomId) => call(1, 'PATCH', `/api/rooms/${roomId}/members/2`, { role: 'admin' })),
  removeMember: inRoomOf((roomId) => call(1, 'DELETE', `/api/rooms/${roomId}/members/2`)),
  listInvitations: async (size) => {
    const userId = 102 + (size > 1 ? 1 : 0);
    for (let index = 0; index < size; index++) await invitationOf(1, userId);
    return () => call(userId, 'GET', '/api/invitations?limit=100');
  },
  acceptInvitation: async (size) => {
    const id = await invitationOf(1, 104, people(size));
    return () => call(104, 'POST', `/api/invitations/${id}/accept`);
  },
  declineInvitation: async (size) => {
    const id = await invitationOf(1, 105, people(size));
    return () => call(105, 'POST', `/api/invitations/${id}/decline`);
  },
  withdrawInvitation: async (size) => {
    const id = await invitationOf(1, 106, people(size));
    return () => call(1, 'DELETE', `/api/invitations/${id}`);
  },
  readPresence: async (size) => () => call(1, 'GET', `/api/presence?user_ids=${people(size).join(',')}`),
  createTicket: async () => () => call(1, 'POST', '/api/ws-ticket'),
} satisfies Record<keyof typeof coreOperations, Case>;

for (const [id, prepare] of Object.entries(cases) as [string, Case][]) {
  test(`${id} costs the same for one and for many`, async () => {
    const few = await statementsOf(await prepare(1));
    const many = await statementsOf(await prepare(MANY));
    assert.equal(many.length, few.length, `one: ${few.join(' | ')}\nmany: ${many.join(' | ')}`);
    assert.ok(many.length <= 15, many.join(' | '));
  });
}
