// REST routes of core about rooms, their messages and their members.
import { Type } from '@sinclair/typebox';
import { ClientMsgId, RoomId } from './client-frames.ts';
import { operation } from './operation.ts';
import {
  CreateDirectBody,
  CreateRoomBody,
  InvitationsSent,
  InviteBody,
  MarkReadAnswer,
  MarkReadBody,
  Member,
  MemberList,
  MessageList,
  MessagesQuery,
  PageQuery,
  RenameRoomBody,
  RoleBody,
  Room,
  RoomList,
  RoomsQuery,
  SendMessageBody,
  UserId,
} from './rest.ts';
import { Entry } from './server-frames.ts';

const RoomPath = Type.Object({ id: RoomId });
const MemberPath = Type.Object({ id: RoomId, user_id: UserId });
const room = { tag: 'rooms', security: 'bearer', params: RoomPath } as const;
const member = { tag: 'members', security: 'bearer' } as const;

/** Rooms. */
export const roomOperations = {
  createRoom: operation({
    method: 'post',
    path: '/api/rooms',
    tag: 'rooms',
    summary: 'Make a room; a direct one that is there already is answered with 200',
    security: 'bearer',
    body: CreateRoomBody,
    answers: { 201: Room, 200: Room },
    errors: ['user_not_found', 'conflict'],
  }),
  createDirectRoom: operation({
    method: 'post',
    path: '/api/rooms/direct',
    tag: 'rooms',
    summary: 'Make the direct room with another user, or get it with 200',
    security: 'bearer',
    body: CreateDirectBody,
    answers: { 201: Room, 200: Room },
    errors: ['user_not_found', 'conflict'],
  }),
  listRooms: operation({
    method: 'get',
    path: '/api/rooms',
    tag: 'rooms',
    summary: 'List the rooms of the caller by their last message',
    security: 'bearer',
    query: RoomsQuery,
    answers: { 200: RoomList },
  }),
  getRoom: operation({
    ...room,
    method: 'get',
    path: '/api/rooms/{id}',
    summary: 'Look at a room',
    answers: { 200: Room },
    errors: ['not_a_member'],
  }),
  renameRoom: operation({
    ...room,
    method: 'patch',
    path: '/api/rooms/{id}',
    summary: 'Rename a group; for its admins',
    body: RenameRoomBody,
    answers: { 200: Room },
    errors: ['not_a_member', 'conflict'],
  }),
  deleteRoom: operation({
    ...room,
    method: 'delete',
    path: '/api/rooms/{id}',
    summary: 'Delete a group; for its admins',
    answers: { 204: null },
    errors: ['not_a_member', 'conflict'],
  }),
  hideRoom: operation({
    ...room,
    method: 'post',
    path: '/api/rooms/{id}/hide',
    summary: 'Hide a room from the list until somebody writes',
    answers: { 204: null },
    errors: ['not_a_member'],
  }),
  unhideRoom: operation({
    ...room,
    method: 'post',
    path: '/api/rooms/{id}/unhide',
    summary: 'Show a hidden room again',
    answers: { 204: null },
    errors: ['not_a_member'],
  }),
};

/** Messages and read markers of a room. */
export const messageOperations = {
  listMessages: operation({
    ...room,
    tag: 'messages',
    method: 'get',
    path: '/api/rooms/{id}/messages',
    summary: 'Read the log of a room: newest first, or oldest first with after_seq',
    description: 'Give before_seq or after_seq, not both.',
    query: MessagesQuery,
    answers: { 200: MessageList },
    errors: ['not_a_member'],
  }),
  sendMessage: operation({
    ...room,
    tag: 'messages',
    method: 'post',
    path: '/api/rooms/{id}/messages',
    summary: 'Send a message; the same client id again is answered with 200 and what was stored',
    headers: Type.Object({ 'Idempotency-Key': Type.Optional(ClientMsgId) }),
    body: SendMessageBody,
    answers: { 201: Entry, 200: Entry },
    errors: ['not_a_member', 'message_too_large', 'draining'],
    limited: true,
  }),
  markRead: operation({
    ...room,
    tag: 'messages',
    method: 'post',
    path: '/api/rooms/{id}/mark-read',
    summary: 'Move the read marker of the caller forward; without a seq to the end',
    body: MarkReadBody,
    bodyOptional: true,
    answers: { 200: MarkReadAnswer },
    errors: ['not_a_member'],
  }),
};

/** Members of a room. */
export const memberOperations = {
  listMembers: operation({
    ...member,
    method: 'get',
    path: '/api/rooms/{id}/members',
    summary: 'List the members of a room in the order of their ids',
    params: RoomPath,
    query: PageQuery,
    answers: { 200: MemberList },
    errors: ['not_a_member'],
  }),
  inviteMembers: operation({
    ...member,
    method: 'post',
    path: '/api/rooms/{id}/members',
    summary: 'Invite users; 200 when each of them has an invitation that waits',
    params: RoomPath,
    body: InviteBody,
    answers: { 201: InvitationsSent, 200: InvitationsSent },
    errors: ['not_a_member', 'user_not_found', 'conflict'],
  }),
  removeMember: operation({
    ...member,
    method: 'delete',
    path: '/api/rooms/{id}/members/{user_id}',
    summary: 'Remove a member, or leave',
    params: MemberPath,
    answers: { 204: null },
    errors: ['not_a_member', 'user_not_found', 'conflict'],
  }),
  changeRole: operation({
    ...member,
    method: 'patch',
    path: '/api/rooms/{id}/members/{user_id}',
    summary: 'Change the role of a member; for admins',
    params: MemberPath,
    body: RoleBody,
    answers: { 200: Member },
    errors: ['not_a_member', 'user_not_found', 'conflict'],
  }),
  leaveRoom: operation({
    ...member,
    method: 'post',
    path: '/api/rooms/{id}/leave',
    summary: 'Leave a group',
    params: RoomPath,
    answers: { 204: null },
    errors: ['not_a_member', 'conflict'],
  }),
};
