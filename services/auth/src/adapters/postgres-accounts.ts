// The Accounts port on PostgreSQL.
import { AppError } from '@parley/kit/process';
import { postgresError, translatingErrors, type PostgresPool } from '@parley/kit/sql';
import { topics, type UserEvent } from '@parley/protocol';
import type { PoolClient } from 'pg';
import { userDisabled, userRegistered } from '../domain/events.ts';
import type { Accounts, PasswordChange, Registration, StoredAccount } from '../ports.ts';
import { insertFamily } from './postgres-sessions.ts';
import { inTransaction } from './postgres-transaction.ts';
import { revokeFamilies, revokeLogins, revokeUser } from './revoking.ts';

const STORED_ACCOUNT = `id, name, email, password_hash AS "passwordHash", password_version AS "passwordVersion",
  disabled_at IS NOT NULL AS disabled`;

export function postgresAccounts(pool: PostgresPool): Accounts {
  const accounts: Accounts = {
    async findByEmail(email) {
      const { rows } = await pool.query<StoredAccount>(`SELECT ${STORED_ACCOUNT} FROM users WHERE lower(email) = $1`, [email]);
      return rows[0];
    },
    async findById(id) {
      const { rows } = await pool.query<StoredAccount>(`SELECT ${STORED_ACCOUNT} FROM users WHERE id = $1`, [id]);
      return rows[0];
    },
    register: (registration) => inTransaction(pool, (client) => register(client, registration)),
    async replacePasswordHash(id, { from, to, at }) {
      await pool.query('UPDATE users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2', [id, from, to, at]);
    },
    changePassword: (change) => inTransaction(pool, (client) => changePassword(client, change)),
    disable: ({ userId, eventId, at }) =>
      inTransaction(pool, async (client) => {
        const { rowCount } = await client.query(
          'UPDATE users SET disabled_at = $2, updated_at = $2 WHERE id = $1 AND disabled_at IS NULL',
          [userId, at],
        );
        if (rowCount === 0) return undefined;
        await revokeFamilies(client, { condition: 'user_id = $2', value: userId }, at);
        await insertEvent(client, userDisabled({ id: eventId, at }, { id: userId }));
        return revokeUser(client, userId, at);
      }),
  };
  return translatingErrors(accounts, postgresError);
}

async function register(client: PoolClient, { name, email, passwordHash, eventId, family, refresh }: Registration) {
  // Waits for another transaction that inserts the same address, and then inserts nothing.
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO users (name, email, password_hash, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
     ON CONFLICT ((lower(email))) DO NOTHING RETURNING id`,
    [name, email, passwordHash, refresh.at],
  );
  const id = rows[0]?.id;
  if (id === undefined) return undefined;
  await insertEvent(client, userRegistered({ id: eventId, at: refresh.at }, { id, name }));
  await insertFamily(client, { userId: id, family, refresh });
  return { id, name, email };
}

async function changePassword(client: PoolClient, { userId, version, passwordHash, family, at }: PasswordChange) {
  const changed = await client.query(
    `UPDATE users SET password_hash = $3, password_version = password_version + 1, updated_at = $4
     WHERE id = $1 AND password_version = $2 AND disabled_at IS NULL`,
    [userId, version, passwordHash, at],
  );
  if (changed.rowCount === 0) throw new AppError('conflict', 'The password was changed at the same moment');
  // The one who changes it stays logged in, and must be so: a stolen token of a login that has ended changes nothing.
  const own = await client.query('SELECT 1 FROM refresh_families WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL FOR SHARE', [
    family,
    userId,
  ]);
  if (own.rowCount === 0) throw new AppError('invalid_token', 'The token was revoked');
  const others = await revokeFamilies(client, { condition: 'user_id = $2', value: userId, except: family }, at);
  return revokeLogins(client, others, at);
}

async function insertEvent(client: PoolClient, event: UserEvent): Promise<void> {
  await client.query('INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ($1, $2, $3, $4)', [
    topics.users,
    String(event.data.user_id),
    JSON.stringify(event),
    event.time,
  ]);
}
