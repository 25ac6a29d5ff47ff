// The Revocations port on PostgreSQL.
import { postgresError, translatingErrors, type PostgresPool } from '@parley/kit/sql';
import type { Revocations } from '../ports.ts';
import { REVOCATION_COLUMNS, revocationOf } from './revoking.ts';

type Row = Parameters<typeof revocationOf>[0] & { id: number };

export function postgresRevocations(pool: PostgresPool): Revocations {
  const revocations: Revocations = {
    async inForce({ at, after, limit }) {
      const { rows } = await pool.query<Row>(
        `SELECT id, ${REVOCATION_COLUMNS} FROM revocations WHERE until_at > $1 AND id > $2 ORDER BY id LIMIT $3`,
        [at, after, limit],
      );
      return rows.map((row) => ({ position: row.id, revocation: revocationOf(row) }));
    },
  };
  return translatingErrors(revocations, postgresError);
}
