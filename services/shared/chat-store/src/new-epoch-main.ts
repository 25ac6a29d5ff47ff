// Gives the chat data a new epoch. Run once after a backup was restored, before any chat replica starts.
import { readFileSync } from 'node:fs';
import { Type } from '@sinclair/typebox';
import { ConfigError, createLog, loadConfig, messageOf, untilReachable } from '@parley/kit/process';
import { startupTimeoutMs } from '@parley/kit/settings';
import { EXIT_CONFIG } from '@parley/kit/run';
import { renewEpoch } from './lineage.ts';
import { connectMysql, mysqlConfig, mysqlLimits } from './connection/index.ts';

const schema = Type.Object({
  ...mysqlConfig,
  startupTimeoutMs: startupTimeoutMs(60_000),
});
const log = createLog({ service: 'new-epoch', instance: 'new-epoch', level: 'info' });
try {
  const config = loadConfig(schema, process.env, (path) => readFileSync(path, 'utf8'));
  const connect = () => connectMysql(config.databaseUrl, { limits: mysqlLimits(config.databaseTimeoutMs) });
  const connection = await untilReachable('MySQL', connect, { timeoutMs: config.startupTimeoutMs, log });
  try {
    log.info(await renewEpoch(connection), 'the chat data have a new epoch: every client fetches its rooms anew');
  } finally {
    await connection.end();
  }
} catch (error) {
  log.fatal(messageOf(error));
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
}
