// Who may change what in a room, decided from what holds under the room's lock.
import type { ErrorCodeName, Role } from '@parley/protocol';

export interface Refusal {
  code: ErrorCodeName;
  detail: string;
}

export type RoomKind = 'direct' | 'group';

/** The other active members of a room, as far as a decision needs them. */
export interface Others {
  admin: boolean;
  any: boolean;
}

const DIRECT: Refusal = { code: 'conflict', detail: 'The members of a direct room do not change; hide it instead' };
const ADMINS_ONLY: Refusal = { code: 'forbidden', detail: 'Only admins of the room may do this' };
const LAST_ADMIN: Refusal = { code: 'conflict', detail: 'You are the last admin: make another member admin first' };

/** Invite, remove, change a role, rename, delete. */
export function refusalOfAdminAction(kind: RoomKind, actor: Role): Refusal | undefined {
  if (kind === 'direct') return DIRECT;
  return actor === 'admin' ? undefined : ADMINS_ONLY;
}

/** Everybody may leave a group but its last admin, who may leave only when nobody else is there. */
export function refusalOfLeave(kind: RoomKind, actor: Role, others: Others): Refusal | undefined {
  if (kind === 'direct') return DIRECT;
  return actor === 'admin' && !others.admin && others.any ? LAST_ADMIN : undefined;
}

/** An admin may give up the role when another one stays. */
export function refusalOfDemotion(others: Others): Refusal | undefined {
  return others.admin ? undefined : LAST_ADMIN;
}
