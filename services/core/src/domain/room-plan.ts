// What a request for a new room asks for: a pair or a group, and whom it names.
import type { CreateRoomBody } from '@parley/protocol';

export interface DirectPlan {
  type: 'direct';
  otherId: number;
  /** Unique in the database: one room a pair. */
  directKey: string;
}
export interface GroupPlan {
  type: 'group';
  name: string;
  /** Without the creator. */
  inviteeIds: number[];
}
export type RoomPlan = { ok: true; plan: DirectPlan | GroupPlan } | { ok: false; path: string; message: string };

export const directKey = (a: number, b: number): string => `${Math.min(a, b)}:${Math.max(a, b)}`;

export function planRoom(creator: number, { room_type, name, member_ids }: CreateRoomBody): RoomPlan {
  if (room_type === 'direct') {
    const [otherId, ...more] = member_ids;
    if (otherId === undefined || more.length > 0) return refuse('/member_ids', 'A direct room has exactly one other member');
    if (otherId === creator) return refuse('/member_ids', 'A direct room with oneself is not possible');
    return { ok: true, plan: { type: 'direct', otherId, directKey: directKey(creator, otherId) } };
  }
  const trimmed = name?.trim();
  if (!trimmed) return refuse('/name', 'A group needs a name');
  return { ok: true, plan: { type: 'group', name: trimmed, inviteeIds: member_ids.filter((id) => id !== creator) } };
}

/** Users the plan needs besides the creator. */
export const namedUsers = (plan: DirectPlan | GroupPlan): number[] => (plan.type === 'direct' ? [plan.otherId] : plan.inviteeIds);

function refuse(path: string, message: string): RoomPlan {
  return { ok: false, path, message };
}
