// The Sessions port on PostgreSQL. Each change is one statement, so that no transaction is left half way.
import { postgresError, translatingErrors, type PostgresPool } from '@parley/kit';
import type { PoolClient } from 'pg';
import type { NewRefreshToken, SessionOwner, Sessions } from '../ports.ts';

/** Two calls with one token: the second waits for the row, finds it used, and changes nothing. */
const ROTATE = `
  WITH used AS (
    UPDATE refresh_tokens t SET used_at = $2 FROM refresh_families f JOIN users u ON u.id = f.user_id
    WHERE t.hash = $1 AND t.used_at IS NULL AND t.expires_at > $2
      AND f.id = t.family AND f.revoked_at IS NULL AND u.disabled_at IS NULL
    RETURNING t.family, u.id, u.name, u.email
  ), stored AS (
    INSERT INTO refresh_tokens (family, hash, created_at, expires_at) SELECT family, $3, $2, $4 FROM used
  ), prolonged AS (
    UPDATE refresh_families f SET expires_at = $4 FROM used WHERE f.id = used.family
  )
  SELECT id, name, email, family FROM used`;

/** A token that a rotation stores at this very moment is worth nothing either: its use looks at the family. */
const REVOKE = `
  UPDATE refresh_families f SET revoked_at = $2 FROM refresh_tokens t
  WHERE t.hash = $1 AND t.used_at IS NOT NULL AND f.id = t.family AND f.revoked_at IS NULL
  RETURNING f.id AS family, f.user_id AS "userId"`;

const BEGIN = `
  WITH family AS (INSERT INTO refresh_families (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4))
  INSERT INTO refresh_tokens (family, hash, created_at, expires_at) VALUES ($1, $5, $3, $4)`;

export async function insertFamily(
  client: PostgresPool | PoolClient,
  { userId, family, refresh }: { userId: number; family: string; refresh: NewRefreshToken },
): Promise<void> {
  await client.query(BEGIN, [family, userId, refresh.at, refresh.expiresAt, refresh.hash]);
}

export function postgresSessions(pool: PostgresPool): Sessions {
  const sessions: Sessions = {
    begin: (userId, family, refresh) => insertFamily(pool, { userId, family, refresh }),
    async rotate(hash, next) {
      const { rows } = await pool.query<SessionOwner>(ROTATE, [hash, next.at, next.hash, next.expiresAt]);
      return rows[0];
    },
    async revokeReused(hash, at) {
      const { rows } = await pool.query<{ family: string; userId: number }>(REVOKE, [hash, at]);
      return rows[0];
    },
  };
  return translatingErrors(sessions, postgresError);
}
