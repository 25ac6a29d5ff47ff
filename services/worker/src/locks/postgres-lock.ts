// The relay lock of PostgreSQL: an advisory lock of a session of its own. Advisory locks are the database's.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { holdLock, SERVER_PATIENCE_SECONDS } from './held-lock.ts';
import type { RelayLock } from './ports.ts';

/** Any fixed number that nothing else in this database uses (migrations: 7270201). */
const LOCK_ID = 7_270_202;
const TRY_EVERY_MS = 500;
const TRIES = 10;

export function postgresLock(url: string): RelayLock {
  return {
    async acquire(signal) {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000, keepAlive: true, query_timeout: 5000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query(`SET idle_session_timeout = '${SERVER_PATIENCE_SECONDS}s'`);
        for (let tries = 0; tries < TRIES && !signal.aborted; tries++) {
          const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1) AS got', [LOCK_ID]);
          if (rows[0]?.got) return held(client);
          await sleep(TRY_EVERY_MS, undefined, { signal }).catch(() => undefined);
        }
        await client.end();
        return undefined;
      } catch (error) {
        await client.end().catch(() => undefined);
        throw error;
      }
    },
  };
}

function held(client: pg.Client) {
  return holdLock({
    ping: async () => void (await client.query('SELECT 1')),
    onBroken: (callback) => {
      client.on('error', (error) => callback(error.message));
      client.on('end', () => callback('connection closed'));
    },
    end: () => client.end(),
    destroy: () => void client.end().catch(() => undefined),
  });
}
