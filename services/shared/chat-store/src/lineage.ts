// The lineage of the chat data: its epoch tells clients whether the positions they know still mean something.
import { randomBytes } from 'node:crypto';
import type { RowDataPacket } from 'mysql2';
import type { MysqlConnection } from './connection/index.ts';

/**
 * Gives restored data an epoch of their own, so that clients fetch anew instead of going on from positions of before: a position above
 * the restored log may be taken by another message soon. One transaction; throws when there is no lineage.
 */
export async function renewEpoch(connection: MysqlConnection): Promise<{ before: string; epoch: string }> {
  const epoch = randomBytes(6).toString('hex');
  await connection.beginTransaction();
  try {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT epoch FROM lineage WHERE id = 1 FOR UPDATE');
    const before = rows[0]?.['epoch'] as string | undefined;
    if (before === undefined) throw new Error('the table lineage is empty: restore a backup of the chat data first');
    await connection.query('UPDATE lineage SET epoch = ? WHERE id = 1', [epoch]);
    await connection.commit();
    return { before, epoch };
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}
