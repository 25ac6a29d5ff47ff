// Golden samples of what servers send. The type asks for one of each frame.
import type { ServerFrame } from '@parley/protocol';
import type { FrameSample } from './frame-sample.ts';

const room_id = '0190a8b0-0000-7000-8000-000000000001';
const id = '0190a8b1-4c00-7000-8000-00000000002a';
const invitation_id = '0190a8b2-0000-7000-8000-000000000003';
const at = '2026-01-15T09:30:00.125Z';
const ada = { user_id: 7, user_name: 'Ada' };

export const serverSamples: { [Name in ServerFrame['type']]: FrameSample<Extract<ServerFrame, { type: Name }>> } = {
  welcome: {
    about: 'The first frame after a successful authentication.',
    frame: {
      ...{ type: 'welcome', user_id: 7, session_id: 'Yk3p-1a', server: 'chat-0' },
      ...{ protocol: 'parley.v1', heartbeat_ms: 30_000, max_message_bytes: 8192, resume: true },
    },
  },
  message: {
    about:
      'One entry of a room, to every socket that has joined it, the sender’s too. Entries of one room come in the order of `seq`, without a gap. Entries of kind `system` tell of changes of the membership.',
    frame: {
      ...{ type: 'message', id, room_id, seq: 42, kind: 'message', sender_id: 7, sender_name: 'Ada', content: 'Hello!' },
      ...{ message_type: 'text', metadata: { mood: 'fine' }, created_at: at, client_msg_id: 'm-17_a' },
    },
  },
  ack: {
    about: 'To the sending socket: the message is committed to the database and has this place in the room.',
    frame: { type: 'ack', client_msg_id: 'm-17_a', room_id, id, seq: 42, created_at: at, duplicate: false },
  },
  joined: {
    about: 'Answers `join_room`, after the replayed entries: from here on the socket gets live entries.',
    frame: { type: 'joined', room_id, epoch: '01J9ZC', seq: 42, recovered: true, replayed_from: 42, last_read_seq: 40, unread_count: 2 },
  },
  left: {
    about: 'This socket gets nothing of the room any more: answers `leave_room`, and comes by itself when the membership has ended.',
    frame: { type: 'left', room_id },
  },
  gap: {
    about: 'Part of a resume that is too far behind: these entries are not replayed; read them from the history by REST with `after_seq`.',
    frame: { type: 'gap', room_id, from: 43, to: 910 },
  },
  read: {
    about: 'A read marker has moved: to the user’s other sockets and, in small rooms, to the other members.',
    frame: { type: 'read', room_id, user_id: 7, seq: 42 },
  },
  unread_updated: {
    about: 'With a moved read marker, to the user’s other sockets: what is left to read.',
    frame: { type: 'unread_updated', room_id, unread_count: 0, last_read_seq: 42 },
  },
  room_updated: {
    about:
      'To the sockets of members that have not joined the room: it has new entries. At most one a room and second, in rooms that are not large.',
    frame: { type: 'room_updated', room_id, last_seq: 42, last_message_at: at },
  },
  typing: {
    about: 'A member types or has stopped; to joined sockets of the others. It ends by itself after some seconds without a new one.',
    frame: { type: 'typing', room_id, is_typing: true, ...ada },
  },
  room_presence: {
    about: 'To the joining socket: who of the room is online anywhere in the cluster. Large rooms get the count alone.',
    frame: { type: 'room_presence', room_id, online_users: [7, 9], online_count: 2 },
  },
  user_online: {
    about: 'To joined sockets of shared rooms: the first socket of the user in the cluster has opened.',
    frame: { type: 'user_online', room_id, ...ada },
  },
  user_offline: {
    about: 'To joined sockets of shared rooms: the last socket of the user in the cluster has closed, some seconds ago.',
    frame: { type: 'user_offline', room_id, ...ada, last_seen: at },
  },
  member_joined: { about: 'To joined sockets: somebody became a member.', frame: { type: 'member_joined', room_id, ...ada, by: 9 } },
  member_left: {
    about: 'To joined sockets: a member has left. The member’s own sockets get it too, then `left`.',
    frame: { type: 'member_left', room_id, ...ada },
  },
  member_removed: {
    about: 'To joined sockets: a member was removed. The removed user’s sockets get it too, then `left` and nothing more of the room.',
    frame: { type: 'member_removed', room_id, ...ada, by: 9 },
  },
  room_changed: {
    about: 'To joined sockets: the room has another name, a member another role, or the room is deleted.',
    frame: { type: 'room_changed', room_id, ...ada, by: 9, change: 'role' },
  },
  room_created: {
    about: 'To every socket of those who are members of a new room from the start, its creator too.',
    frame: { type: 'room_created', room_id, room_name: 'Lunch', room_type: 'group', created_by: 9 },
  },
  invitation_received: {
    about: 'To every socket of the invited user.',
    frame: { type: 'invitation_received', invitation_id, room_id, room_name: 'Lunch', invited_by: 9, invited_by_name: 'Grace' },
  },
  invitation_updated: {
    about: 'To the sockets of the invited user and of the one who invited: the invitation was answered or has ended.',
    frame: { type: 'invitation_updated', invitation_id, room_id, user_id: 7, state: 'accepted' },
  },
  rate_limit_exceeded: {
    about: 'To the socket that was too fast. A refused message is named by its `client_msg_id` and is not stored.',
    frame: {
      type: 'rate_limit_exceeded',
      event_type: 'message',
      retry_after: 0.2,
      message: 'Too many messages',
      client_msg_id: 'm-17_a',
      room_id,
    },
  },
  connection_replaced: {
    about: 'To the oldest socket of a user that opened more than allowed; close 4409 follows.',
    frame: { type: 'connection_replaced', message: 'A newer connection has taken the place of this one' },
  },
  pong: { about: 'Answers `ping`.', frame: { type: 'pong' } },
  token_expiring: {
    about: 'The access token ends soon: send `auth` with a fresh one, or the socket is closed with 4401.',
    frame: { type: 'token_expiring', expires_in_ms: 60_000 },
  },
  reconnect: {
    about: 'Open another connection after the given time: this instance is going away. Close 1012 follows.',
    frame: { type: 'reconnect', after_ms: 1500, reason: 'drain' },
  },
  error: {
    about: 'Something the client sent was refused. `code` is one of the table below; `details` names the wrong field.',
    frame: {
      ...{ type: 'error', code: 'invalid_frame', message: 'The frame does not follow the protocol', retryable: false },
      details: { path: '/room_id', message: 'Required property' },
    },
  },
};
