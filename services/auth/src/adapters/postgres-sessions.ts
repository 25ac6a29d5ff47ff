// The Sessions port on PostgreSQL.
import { postgresError, translatingErrors, type PostgresPool } from '@parley/kit/sql';
import type { PoolClient } from 'pg';
import type { NewRefreshToken, RepeatedRotation, SessionOwner, Sessions } from '../ports.ts';
import { inTransaction } from './postgres-transaction.ts';
import { revokeFamilies, revokeLogins } from './revoking.ts';

/**
 * The family is locked first: a revocation comes before or after, never in between. Two calls with one token: the second waits, finds the
 * token used, and changes nothing. The salt goes with its use: without it no chain leads from an old token to the present one.
 */
const ROTATE = `
  WITH family AS (
    SELECT f.id, u.id AS user_id, u.name, u.email
    FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family JOIN users u ON u.id = f.user_id
    WHERE t.hash = $1 AND f.revoked_at IS NULL AND u.disabled_at IS NULL FOR NO KEY UPDATE OF f
  ), used AS (
    UPDATE refresh_tokens t SET used_at = $2, salt = NULL FROM family
    WHERE t.hash = $1 AND t.family = family.id AND t.used_at IS NULL AND t.expires_at > $2 RETURNING t.id, t.family
  ), stored AS (
    INSERT INTO refresh_tokens (family, parent, hash, salt, created_at, expires_at, access_expires_at)
    SELECT family, id, $3, $4, $2, $5, $6 FROM used
  ), prolonged AS (
    UPDATE refresh_families f SET expires_at = $5 FROM used WHERE f.id = used.family
  )
  SELECT user_id AS id, name, email, family.id AS family FROM family JOIN used ON used.family = family.id`;

/** The salt of a successor that nobody has used yet. */
const REPEAT = `
  SELECT u.id, u.name, u.email, f.id AS family, next.salt
  FROM refresh_tokens t JOIN refresh_tokens next ON next.parent = t.id
  JOIN refresh_families f ON f.id = t.family JOIN users u ON u.id = f.user_id
  WHERE t.hash = $1 AND t.used_at > $2 AND next.used_at IS NULL AND next.salt IS NOT NULL
    AND f.revoked_at IS NULL AND u.disabled_at IS NULL`;

const BEGIN = `
  WITH family AS (INSERT INTO refresh_families (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4))
  INSERT INTO refresh_tokens (family, hash, created_at, expires_at, access_expires_at) VALUES ($1, $5, $3, $4, $6)`;

/** Waits for a change of the password or a disabling under way, and then finds another version. */
const STILL_ENTITLED = 'SELECT 1 FROM users WHERE id = $1 AND password_version = $2 AND disabled_at IS NULL FOR SHARE';

export async function insertFamily(
  client: PoolClient,
  { userId, family, refresh }: { userId: number; family: string; refresh: NewRefreshToken },
): Promise<void> {
  await client.query(BEGIN, [family, userId, refresh.at, refresh.expiresAt, refresh.hash, refresh.accessExpiresAt]);
}

export function postgresSessions(pool: PostgresPool): Sessions {
  const sessions: Sessions = {
    begin: ({ userId, passwordVersion }, family, refresh) =>
      inTransaction(pool, async (client) => {
        const { rowCount } = await client.query(STILL_ENTITLED, [userId, passwordVersion]);
        if (rowCount === 0) return false;
        await insertFamily(client, { userId, family, refresh });
        return true;
      }),
    async rotate(hash, { salt, ...next }) {
      const values = [hash, next.at, next.hash, salt, next.expiresAt, next.accessExpiresAt];
      const { rows } = await pool.query<SessionOwner>(ROTATE, values);
      return rows[0];
    },
    async repeat(hash, usedAfter) {
      const { rows } = await pool.query<SessionOwner & { salt: Buffer }>(REPEAT, [hash, usedAfter]);
      const [row] = rows;
      if (!row) return undefined;
      const { salt, ...owner } = row;
      return { owner, salt } satisfies RepeatedRotation;
    },
    revokeReused: (hash, at) =>
      inTransaction(pool, async (client) => {
        const condition = 'id = (SELECT family FROM refresh_tokens WHERE hash = $2 AND used_at IS NOT NULL)';
        const [family] = await revokeFamilies(client, { condition, value: hash }, at);
        if (!family) return undefined;
        return { family: family.id, userId: family.userId, revocations: await revokeLogins(client, [family], at) };
      }),
    end: (family, at) =>
      inTransaction(pool, async (client) => {
        const revoked = await revokeFamilies(client, { condition: 'id = $2', value: family }, at);
        return revokeLogins(client, revoked, at);
      }),
  };
  return translatingErrors(sessions, postgresError);
}
