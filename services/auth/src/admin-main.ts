// What an operator does to one account: `admin-main.js disable-user <id>`. The same transaction and announcement as everything that ends logins.
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { Type } from '@sinclair/typebox';
import { ConfigError, createLog, loadConfig, messageOf } from '@parley/kit/process';
import { createRedis } from '@parley/kit/redis';
import { EXIT_CONFIG } from '@parley/kit/run';
import { createPostgres } from '@parley/kit/sql';
import { disableUser } from './account-changes.ts';
import { postgresAccounts } from './adapters/postgres-accounts.ts';
import { redisAnnouncer } from './adapters/redis-announcer.ts';
import { authConfig } from './config.ts';

const schema = Type.Pick(authConfig, ['databaseUrl', 'redisUrl']);
/** Without Redis the replicas of auth announce it within seconds of its return. */
const REDIS_WAIT_MS = 2000;
const log = createLog({ service: 'auth-admin', instance: 'admin', level: 'info' });

async function disable(userId: number): Promise<boolean> {
  const { databaseUrl, redisUrl } = loadConfig(schema, process.env, (path) => readFileSync(path, 'utf8'));
  const pool = createPostgres(databaseUrl, { log, max: 1 });
  const redis = createRedis(redisUrl, 'auth-admin', log);
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(REDIS_WAIT_MS) }).catch(() => undefined);
    const now = () => new Date();
    return await disableUser({ accounts: postgresAccounts(pool), announcer: redisAnnouncer({ redis, log, now }), log, now }, userId);
  } finally {
    redis.disconnect();
    await pool.end();
  }
}

const [command, id = ''] = process.argv.slice(2);
try {
  if (command !== 'disable-user' || !/^[1-9]\d{0,14}$/.test(id)) throw new ConfigError(['usage: admin-main.js disable-user <user id>']);
  if (!(await disable(Number(id)))) {
    log.error({ user_id: Number(id) }, 'there is no such user, or it is disabled already');
    process.exitCode = 1;
  }
} catch (error) {
  log.fatal(messageOf(error));
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
}
