// Gives the chat data a new epoch. Run once after a backup was restored, before any chat replica starts.
import { readFileSync } from 'node:fs';
import { Type } from '@sinclair/typebox';
import { ConfigError, createLog, loadConfig, messageOf, milliseconds, secretUrl, untilReachable } from '@parley/kit/process';
import { EXIT_CONFIG } from '@parley/kit/run';
import { renewEpoch } from './lineage.ts';
import { connectMysql } from './mysql.ts';

const schema = Type.Object({
  databaseUrl: secretUrl('chat database, mysql://user:password@host:3306/name', 'mysql'),
  startupTimeoutMs: milliseconds(60_000, 'how long to wait for the database'),
});
const log = createLog({ service: 'new-epoch', instance: 'new-epoch', level: 'info' });
try {
  const config = loadConfig(schema, process.env, (path) => readFileSync(path, 'utf8'));
  const connection = await untilReachable('MySQL', () => connectMysql(config.databaseUrl), { timeoutMs: config.startupTimeoutMs, log });
  try {
    log.info(await renewEpoch(connection), 'the chat data have a new epoch: every client fetches its rooms anew');
  } finally {
    await connection.end();
  }
} catch (error) {
  log.fatal(messageOf(error));
  process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
}
