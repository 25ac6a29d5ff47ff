// The ApiKeys port on PostgreSQL.
import { AppError } from '@parley/kit/process';
import { postgresError, translatingErrors, type PostgresPool } from '@parley/kit/sql';
import type { ApiKeyScope } from '@parley/protocol';
import type { ApiKeys, StoredApiKey, UsedApiKey } from '../ports.ts';
import { inTransaction } from './postgres-transaction.ts';

const BOOTSTRAP_SCOPES: readonly ApiKeyScope[] = ['auth', 'admin'];

const STORED_KEY = `id, prefix, name, scopes, created_at AS "createdAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`;

export function postgresApiKeys(pool: PostgresPool): ApiKeys {
  const keys: ApiKeys = {
    async find(prefix) {
      const { rows } = await pool.query<UsedApiKey>(
        'SELECT id, hash, scopes, last_used_at AS "lastUsedAt" FROM api_keys WHERE prefix = $1 AND revoked_at IS NULL',
        [prefix],
      );
      return rows[0];
    },
    async markUsed(id, at) {
      await pool.query('UPDATE api_keys SET last_used_at = $2 WHERE id = $1', [id, at]);
    },
    putBootstrap: ({ prefix, hash }, at) =>
      inTransaction(pool, async (client) => {
        await client.query('UPDATE api_keys SET revoked_at = $2 WHERE is_bootstrap AND prefix <> $1 AND revoked_at IS NULL', [prefix, at]);
        const { rowCount } = await client.query(
          `INSERT INTO api_keys (prefix, hash, name, scopes, is_bootstrap, created_at) VALUES ($1, $2, 'bootstrap', $3, true, $4)
           ON CONFLICT (prefix) DO UPDATE SET hash = excluded.hash, scopes = excluded.scopes, revoked_at = NULL WHERE api_keys.is_bootstrap`,
          [prefix, hash, BOOTSTRAP_SCOPES, at],
        );
        if (rowCount === 0) throw new AppError('conflict', 'the prefix of BOOTSTRAP_API_KEY belongs to another API key');
      }),
    async create({ prefix, hash }, { name, scopes, at }) {
      const { rows } = await pool.query<StoredApiKey>(
        `INSERT INTO api_keys (prefix, hash, name, scopes, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (prefix) DO NOTHING RETURNING ${STORED_KEY}`,
        [prefix, hash, name, scopes, at],
      );
      return rows[0];
    },
    async list({ after, limit }) {
      const { rows } = await pool.query<StoredApiKey>(`SELECT ${STORED_KEY} FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2`, [
        after,
        limit,
      ]);
      return rows;
    },
    async revoke(id, at) {
      const { rows } = await pool.query<{ bootstrap: boolean }>(
        `UPDATE api_keys SET revoked_at = CASE WHEN is_bootstrap THEN revoked_at ELSE coalesce(revoked_at, $2) END
         WHERE id = $1 RETURNING is_bootstrap AND revoked_at IS NULL AS bootstrap`,
        [id, at],
      );
      // The next start would put it into force again.
      if (rows[0]?.bootstrap) throw new AppError('conflict', 'This key comes from the configuration (BOOTSTRAP_API_KEY); change it there');
      return rows.length > 0;
    },
  };
  return translatingErrors(keys, postgresError);
}
