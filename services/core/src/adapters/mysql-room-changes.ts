// Changes of a room itself: its name, its end, and whether a member hides it.
import { newId, toBinary } from '@parley/chat-store';
import type { Connection } from 'mysql2/promise';
import { roomChanged } from '../domain/events.ts';
import { refusalOfAdminAction } from '../domain/permissions.ts';
import { shortName, systemTexts } from '../domain/system-texts.ts';
import type { Place, RoomChange } from '../ports.ts';
import { withdrawAll } from './mysql-inviting.ts';
import { insertEvents, lockAsMember, refuse, tell } from './mysql-locked-room.ts';

/** undefined: the room has this name already. */
export async function renameRoom(
  connection: Connection,
  { roomId, actor }: Place,
  { name, now }: { name: string; now: Date },
): Promise<RoomChange | undefined> {
  const { room, member } = await lockAsMember(connection, roomId, actor.id);
  refuse(refusalOfAdminAction(room.kind, member.role));
  if (room.name === name) return undefined;
  await connection.query('UPDATE rooms SET name = ? WHERE id = ?', [name, toBinary(roomId)]);
  const by = shortName(actor.name);
  const event = { event: 'room_renamed', user_id: actor.id, user_name: by, name } as const;
  const change = await tell(connection, room, { actor, content: systemTexts.renamed(name, by), event, now, ofMembers: false });
  const data = { room_id: roomId, by: actor.id, seq: change.entry.seq, change: 'name' as const, name };
  await insertEvents(connection, [roomChanged({ id: newId(), at: now }, data)], now);
  return change;
}

/** The log stays: other systems may not have read it yet. Nobody gets at it any more, because every read asks whether the room is deleted. */
export async function deleteRoom(connection: Connection, { roomId, actor }: Place, now: Date): Promise<RoomChange> {
  const { room, member } = await lockAsMember(connection, roomId, actor.id);
  refuse(refusalOfAdminAction(room.kind, member.role));
  const { withdrawn, events } = await withdrawAll(connection, room, now);
  const by = shortName(actor.name);
  const event = { event: 'room_deleted', user_id: actor.id, user_name: by } as const;
  const change = await tell(connection, room, { actor, content: systemTexts.deleted(by), event, now, ofMembers: true });
  await connection.query('UPDATE rooms SET deleted_at = ? WHERE id = ?', [now, toBinary(roomId)]);
  const data = { room_id: roomId, by: actor.id, seq: change.entry.seq, change: 'deleted' as const };
  await insertEvents(connection, [...events, roomChanged({ id: newId(), at: now }, data)], now);
  return { ...change, withdrawn };
}

/** Nobody is told: it is the member's own view. rooms.hidden_count tells the writer whether there is anything to show again. */
export async function setHidden(
  connection: Connection,
  { userId, roomId }: { userId: number; roomId: string },
  { hidden, now }: { hidden: boolean; now: Date },
): Promise<void> {
  const { member } = await lockAsMember(connection, roomId, userId);
  if (member.hidden === hidden) return;
  const room = toBinary(roomId);
  await connection.query('UPDATE room_members SET hidden_at = ? WHERE room_id = ? AND user_id = ?', [hidden ? now : null, room, userId]);
  await connection.query('UPDATE rooms SET hidden_count = hidden_count + ? WHERE id = ?', [hidden ? 1 : -1, room]);
}
