// The database's readers as chat needs them.
import { readEntries, readHeads, readMembership, type MysqlPool } from '@parley/chat-store';
import type { RoomReader } from '../ports.ts';

export function mysqlReader(pool: MysqlPool): RoomReader {
  return {
    membership: (roomId, userId) => readMembership(pool, roomId, userId),
    entriesAfter: (roomId, afterSeq, limit) => readEntries(pool, roomId, { afterSeq, limit }),
    heads: (roomIds) => readHeads(pool, roomIds),
  };
}
