// The Accounts port on PostgreSQL.
import { postgresError, translatingErrors, type PostgresPool } from '@parley/kit';
import { topics, type UserEvent } from '@parley/protocol';
import type { PoolClient } from 'pg';
import { userRegistered } from '../domain/events.ts';
import type { Accounts, Registration, StoredAccount } from '../ports.ts';
import { insertFamily } from './postgres-sessions.ts';
import { inTransaction } from './postgres-transaction.ts';

export function postgresAccounts(pool: PostgresPool): Accounts {
  const accounts: Accounts = {
    async findByEmail(email) {
      const { rows } = await pool.query<StoredAccount>(
        `SELECT id, name, email, password_hash AS "passwordHash", disabled_at IS NOT NULL AS disabled FROM users WHERE lower(email) = $1`,
        [email],
      );
      return rows[0];
    },
    register: (registration) => inTransaction(pool, (client) => register(client, registration)),
    async replacePasswordHash(id, { from, to, at }) {
      await pool.query('UPDATE users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2', [id, from, to, at]);
    },
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

async function insertEvent(client: PoolClient, event: UserEvent): Promise<void> {
  await client.query('INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ($1, $2, $3, $4)', [
    topics.users,
    String(event.data.user_id),
    JSON.stringify(event),
    event.time,
  ]);
}
