// Brings the user database to the schema of this version. Run by one Job in Kubernetes and by `npm start`.
import { readFileSync } from 'node:fs';
import { Type } from '@sinclair/typebox';
import { ConfigError, createLog, loadConfig, messageOf, untilReachable } from '@parley/kit/process';
import { startupTimeoutMs, usersDatabaseUrl } from '@parley/kit/settings';
import { EXIT_CONFIG } from '@parley/kit/run';
import { migrate, postgresMigrations } from '@parley/kit/sql';
import pg from 'pg';
import { userMigrations } from './migrations.ts';

const schema = Type.Object({
  databaseUrl: usersDatabaseUrl(),
  startupTimeoutMs: startupTimeoutMs(60_000),
});
const log = createLog({ service: 'migrate-users', instance: 'migrate', level: 'info' });

/** A connection without a limit on statements: a migration may have to wait for another one's lock. */
async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3000 });
  client.on('error', (error) => log.warn({ reason: messageOf(error) }, 'postgres connection lost'));
  await client.connect();
  return client;
}

try {
  const config = loadConfig(schema, process.env, (path) => readFileSync(path, 'utf8'));
  const client = await untilReachable('PostgreSQL', () => connect(config.databaseUrl), { timeoutMs: config.startupTimeoutMs, log });
  try {
    await migrate(postgresMigrations(client), userMigrations(), log);
  } finally {
    await client.end();
  }
} catch (error) {
  log.fatal(messageOf(error));
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
}
