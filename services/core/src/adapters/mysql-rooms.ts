// The Rooms port on MySQL.
import type { MysqlPool } from '@parley/chat-store';
import { translatingErrors } from '@parley/kit';
import type { Rooms } from '../ports.ts';
import { mysqlError } from './mysql-failure.ts';
import { createDirect, createGroup } from './mysql-room-creation.ts';
import { findRoom, listRooms, readLog, readMembers } from './mysql-room-reads.ts';

export function mysqlRooms(pool: MysqlPool): Rooms {
  const rooms: Rooms = {
    createDirect: (creator, plan, now) => createDirect(pool, creator, plan, now),
    createGroup: (creator, plan, now) => createGroup(pool, creator, plan, now),
    list: (userId, page) => listRooms(pool, userId, page),
    find: (userId, roomId) => findRoom(pool, userId, roomId),
    members: (roomIds) => readMembers(pool, roomIds),
    entries: (userId, roomId, query) => readLog(pool, userId, roomId, query),
  };
  return translatingErrors(rooms, mysqlError);
}
