// Every REST route of core.
import { Type } from '@sinclair/typebox';
import { operation } from './operation.ts';
import { memberOperations, messageOperations, roomOperations } from './operations-rooms.ts';
import {
  Invitation,
  InvitationList,
  PageQuery,
  PresenceAnswer,
  PresenceQuery,
  TicketAnswer,
  User,
  UserId,
  UserList,
  UsersQuery,
} from './rest.ts';

const UserPath = Type.Object({ id: UserId });
const InvitationPath = Type.Object({ id: Type.String({ maxLength: 100, description: 'UUID of an invitation' }) });
const invitation = { tag: 'invitations', security: 'bearer', params: InvitationPath } as const;

/** Users: their names and the search. */
export const userOperations = {
  listUsers: operation({
    method: 'get',
    path: '/api/v1/users',
    tag: 'users',
    summary: 'Find users by a part of their name, in the order of their ids',
    security: 'bearer',
    query: UsersQuery,
    answers: { 200: UserList },
  }),
  getOwnUser: operation({
    method: 'get',
    path: '/api/v1/users/me',
    tag: 'users',
    summary: 'The caller',
    security: 'bearer',
    answers: { 200: User },
    errors: ['user_not_found'],
  }),
  getUser: operation({
    method: 'get',
    path: '/api/v1/users/{id}',
    tag: 'users',
    summary: 'The name of a user; the e-mail address only of oneself',
    security: 'bearer',
    params: UserPath,
    answers: { 200: User },
    errors: ['user_not_found'],
  }),
};

/** Invitations to rooms. */
export const invitationOperations = {
  listInvitations: operation({
    method: 'get',
    path: '/api/invitations',
    tag: 'invitations',
    summary: 'List invitations that wait for the answer of the caller',
    security: 'bearer',
    query: PageQuery,
    answers: { 200: InvitationList },
  }),
  acceptInvitation: operation({
    ...invitation,
    method: 'post',
    path: '/api/invitations/{id}/accept',
    summary: 'Accept: the caller becomes a member',
    answers: { 200: Invitation },
    errors: ['invitation_not_found', 'invitation_answered', 'conflict'],
  }),
  declineInvitation: operation({
    ...invitation,
    method: 'post',
    path: '/api/invitations/{id}/decline',
    summary: 'Decline',
    answers: { 200: Invitation },
    errors: ['invitation_not_found', 'invitation_answered', 'conflict'],
  }),
  withdrawInvitation: operation({
    ...invitation,
    method: 'delete',
    path: '/api/invitations/{id}',
    summary: 'Take an invitation back; for who sent it and admins of the room',
    answers: { 204: null },
    errors: ['invitation_not_found', 'invitation_answered'],
  }),
};

/** Tickets of browsers. */
export const ticketOperations = {
  createTicket: operation({
    method: 'post',
    path: '/api/ws-ticket',
    tag: 'sockets',
    summary: 'A ticket that opens one WebSocket; for browsers, which cannot send headers there',
    security: 'bearer',
    answers: { 201: TicketAnswer },
  }),
};

/** Who is online. */
export const presenceOperations = {
  readPresence: operation({
    method: 'get',
    path: '/api/presence',
    tag: 'users',
    summary: 'Who is online, in the order asked; who shares no room with the caller is shown offline',
    security: 'bearer',
    query: PresenceQuery,
    answers: { 200: PresenceAnswer },
  }),
};

/** What core serves. */
export const coreOperations = {
  ...userOperations,
  ...roomOperations,
  ...messageOperations,
  ...memberOperations,
  ...invitationOperations,
  ...presenceOperations,
  ...ticketOperations,
};
