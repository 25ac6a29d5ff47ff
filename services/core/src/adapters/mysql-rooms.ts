// The Rooms port on MySQL.
import { markRead, mysqlError, readActiveMembers, readSharing, type MysqlPool } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import { translatingErrors } from '@parley/kit/sql';
import type { Rooms } from '../ports.ts';
import { deleteRoom, renameRoom, setHidden } from './mysql-room-changes.ts';
import { createDirect, createGroup } from './mysql-room-creation.ts';
import { findRoom, listRooms, readLog, readMembers } from './mysql-room-reads.ts';
import { inTransaction } from './mysql-transaction.ts';

export function mysqlRooms(pool: MysqlPool): Rooms {
  const rooms: Rooms = {
    createDirect: (creator, plan, now) => createDirect(pool, creator, plan, now),
    createGroup: (creator, plan, now) => createGroup(pool, creator, plan, now),
    list: (userId, page) => listRooms(pool, userId, page),
    find: (userId, roomId) => findRoom(pool, userId, roomId),
    members: (roomIds) => readMembers(pool, roomIds),
    entries: (userId, roomId, query) => readLog(pool, userId, roomId, query),
    rename: (place, name, now) => inTransaction(pool, (connection) => renameRoom(connection, place, { name, now })),
    delete: (place, now) => inTransaction(pool, (connection) => deleteRoom(connection, place, now)),
    setHidden: (userId, roomId, hidden, now) =>
      inTransaction(pool, (connection) => setHidden(connection, { userId, roomId }, { hidden, now })),
    markRead: async (mark) => {
      const [result] = await markRead(pool, [mark]);
      if (!result) throw new AppError('not_a_member');
      return result;
    },
    sharing: (userId, others) => readSharing(pool, userId, others),
    memberIds: async (roomId, limits) => (await readActiveMembers(pool, [roomId], limits)).get(roomId) ?? [],
  };
  return translatingErrors(rooms, mysqlError);
}
