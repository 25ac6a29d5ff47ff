// PostgreSQL pool for user data, with time limits on everything.
import pg from 'pg';
import { messageOf } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import type { Migration, MigrationDatabase } from './migrate.ts';
import { operationOf } from '../tracing/sql-operation.ts';
import { isTracing, spanChannel, type Span } from '../tracing/tracing.ts';

/** A pool of pg. */
export type PostgresPool = pg.Pool;

/** int8 columns are ids and counters below 2^53. */
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => Number(text));

/** A pool with time limits for connecting and for every statement. */
export function createPostgres(url: string, { log, max = 10 }: { log: Log; max?: number }): pg.Pool {
  const pool = new pg.Pool({
    Client: TracedClient,
    connectionString: url,
    max,
    connectionTimeoutMillis: 3000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 5000,
    // A frozen server does not keep its own limit: the client gives up by itself, and the pool drops the connection.
    query_timeout: 7000,
    keepAlive: true,
  });
  // A broken idle connection is replaced at the next use; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ reason: messageOf(error) }, 'postgres connection lost'));
  return pool;
}

/** The pool calls `query` with a callback, everybody else awaits it. */
class TracedClient extends pg.Client {
  override query(...args: unknown[]): never {
    const query = super.query.bind(this) as (...given: unknown[]) => unknown;
    const run = () => query(...args) as never;
    if (!isTracing()) return run();
    const [first] = args;
    const operation = operationOf(typeof first === 'string' ? first : ((first as { text?: string } | undefined)?.text ?? ''));
    const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': operation };
    const span: Span = { name: operation, kind: 'client', attributes, withinOnly: true };
    if (typeof args.at(-1) === 'function') return spanChannel.traceCallback(query as never, -1, span, undefined, ...args);
    return spanChannel.tracePromise(run, span) as never;
  }
}

/** The migration runner's view of PostgreSQL. Each file is one transaction. */
export function postgresMigrations(client: pg.Client | pg.PoolClient): MigrationDatabase {
  const lockId = 7_270_201;
  return {
    lock: async () => void (await client.query('SELECT pg_advisory_lock($1)', [lockId])),
    unlock: async () => void (await client.query('SELECT pg_advisory_unlock($1)', [lockId])),
    async applied() {
      await client.query(
        'CREATE TABLE IF NOT EXISTS schema_migrations (version int PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
      );
      const { rows } = await client.query<{ version: number; checksum: string }>('SELECT version, checksum FROM schema_migrations');
      return new Map(rows.map((row) => [row.version, row.checksum]));
    },
    async apply({ version, checksum, sql }: Migration) {
      await client.query('BEGIN');
      try {
        await client.query(sql);
        await client.query('INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)', [version, checksum]);
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      }
    },
  };
}
