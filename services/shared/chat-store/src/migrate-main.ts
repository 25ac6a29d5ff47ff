// Brings the chat database to the schema of this version. Run by one Job in Kubernetes and by `npm start`.
import { readFileSync } from 'node:fs';
import { Type } from '@sinclair/typebox';
import { ConfigError, createLog, loadConfig, messageOf, untilReachable } from '@parley/kit/process';
import { startupTimeoutMs } from '@parley/kit/settings';
import { EXIT_CONFIG } from '@parley/kit/run';
import { migrate } from '@parley/kit/sql';
import { chatMigrations, mysqlMigrations } from './migrations.ts';
import { connectMysql, mysqlConfig, mysqlLimits } from './connection/index.ts';

const schema = Type.Object({
  ...mysqlConfig,
  startupTimeoutMs: startupTimeoutMs(60_000),
});
const log = createLog({ service: 'migrate-chat', instance: 'migrate', level: 'info' });
try {
  const config = loadConfig(schema, process.env, (path) => readFileSync(path, 'utf8'));
  const connect = () => connectMysql(config.databaseUrl, { multipleStatements: true, limits: mysqlLimits(config.databaseTimeoutMs) });
  const connection = await untilReachable('MySQL', connect, { timeoutMs: config.startupTimeoutMs, log });
  await migrate(mysqlMigrations(connection), chatMigrations(), log);
  await connection.end();
} catch (error) {
  log.fatal(messageOf(error));
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
}
