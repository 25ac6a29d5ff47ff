// The database's readers as chat needs them.
import { readEntries, readEpoch, readHeads, readMemberships, type MysqlPool } from '@parley/chat-store';
import type { RoomReader } from '../ports.ts';

export function mysqlReader(pool: MysqlPool): RoomReader {
  return {
    memberships: (pairs) => readMemberships(pool, pairs),
    entriesAfter: (roomId, afterSeq, limit) => readEntries(pool, roomId, { afterSeq, limit }),
    heads: (roomIds) => readHeads(pool, roomIds),
    epoch: () => readEpoch(pool),
  };
}
