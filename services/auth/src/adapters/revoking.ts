// What revokes logins, inside a transaction of the change that asks for it. The rows of `revocations` are for access tokens that live on:
// a login whose last one has expired needs none.
import type { Revocation } from '@parley/kit/tokens';
import type { PoolClient } from 'pg';

/** Clocks differ, and a token may be handed out at the moment of the revocation. */
const MARGIN = `interval '1 minute'`;
/** The longest life that an access token can be configured to have; rows of an older version do not say theirs. */
export const ACCESS_TOKEN_LIFE_MAX = `interval '1 day'`;

interface RevocationRow {
  kind: Revocation['kind'];
  subject: string;
  before_at: Date;
  until_at: Date;
  final: boolean;
}

export const REVOCATION_COLUMNS = 'kind, subject, before_at, until_at, final';

/** The order of the properties is part of it: the text is what Redis compares. */
export function revocationOf({ kind, subject, before_at, until_at, final }: RevocationRow): Revocation {
  return { kind, id: subject, before_ms: before_at.getTime(), until_ms: until_at.getTime(), final };
}

export interface FamilyRow {
  id: string;
  userId: number;
}

/** Returns the families that were not revoked before. Waits for a rotation under way; one that comes later finds the family revoked. */
export async function revokeFamilies(
  client: PoolClient,
  which: { condition: string; value: unknown; except?: string },
  at: Date,
): Promise<FamilyRow[]> {
  const { rows } = await client.query<FamilyRow>(
    `UPDATE refresh_families SET revoked_at = $1
     WHERE ${which.condition} AND revoked_at IS NULL AND id IS DISTINCT FROM $3 RETURNING id, user_id AS "userId"`,
    [at, which.value, which.except ?? null],
  );
  return rows;
}

/** A statement of its own, so that it sees what a rotation stored that {@link revokeFamilies} waited for. */
export async function revokeLogins(client: PoolClient, families: readonly FamilyRow[], at: Date): Promise<Revocation[]> {
  if (families.length === 0) return [];
  const { rows } = await client.query<RevocationRow>(
    `INSERT INTO revocations (kind, subject, before_at, until_at)
     SELECT 'login', family::text, $2, max(coalesce(access_expires_at, created_at + ${ACCESS_TOKEN_LIFE_MAX})) + ${MARGIN}
     FROM refresh_tokens WHERE family = ANY($1)
     GROUP BY family HAVING max(coalesce(access_expires_at, created_at + ${ACCESS_TOKEN_LIFE_MAX})) + ${MARGIN} > $2
     ON CONFLICT (kind, subject) DO NOTHING RETURNING ${REVOCATION_COLUMNS}`,
    [families.map(({ id }) => id), at],
  );
  return rows.map(revocationOf);
}

/** All tokens of a user, and those still to come. */
export async function revokeUser(client: PoolClient, userId: number, at: Date): Promise<Revocation[]> {
  const { rows } = await client.query<RevocationRow>(
    `INSERT INTO revocations (kind, subject, before_at, until_at, final)
     VALUES ('user', $1, $2, $2::timestamptz + ${ACCESS_TOKEN_LIFE_MAX} + ${MARGIN}, true)
     ON CONFLICT (kind, subject) DO UPDATE SET before_at = excluded.before_at, until_at = excluded.until_at, final = true
     RETURNING ${REVOCATION_COLUMNS}`,
    [String(userId), at],
  );
  return rows.map(revocationOf);
}
