// Composition root of auth: opens the database, then the public port; closes them in reverse.
import {
  ConfigError,
  createHttpApp,
  createMetrics,
  createPostgres,
  Health,
  listen,
  parseTrustedProxies,
  Resources,
  startAdmin,
  untilReachable,
  watchDependency,
  type Log,
  type PostgresPool,
  type Running,
} from '@parley/kit';
import { argon2Passwords } from './adapters/argon2-passwords.ts';
import { sweepExpired } from './adapters/expired-sessions.ts';
import { jwtIssuer } from './adapters/jwt-issuer.ts';
import { postgresAccounts } from './adapters/postgres-accounts.ts';
import { postgresApiKeys } from './adapters/postgres-api-keys.ts';
import { postgresSessions } from './adapters/postgres-sessions.ts';
import { readSigningKeys } from './adapters/signing-keys.ts';
import type { AuthConfig } from './config.ts';
import { parseApiKey } from './domain/api-key.ts';
import { AttemptLimit } from './domain/attempt-limit.ts';
import { boundedWork } from './domain/bounded-work.ts';
import { requireApiKey } from './edge/api-key.ts';
import type { AttemptLimits } from './edge/attempt-guard.ts';
import { addAuthRoutes } from './edge/http.ts';
import { createAuthMetrics } from './metrics.ts';
import { createLogin } from './sessions.ts';

/** The version of all packages of the repository. */
const VERSION = '0.1.0';
const ATTEMPT_WINDOW_MS = 60_000;
/** About 10 MB at most for each of the two limits. */
const ATTEMPT_KEYS_MAX = 50_000;

export interface RunningAuth extends Running {
  port: number;
  adminPort: number;
}

export async function startAuth({ config, log, instance }: { config: AuthConfig; log: Log; instance: string }): Promise<RunningAuth> {
  const keys = readSigningKeys(config.jwtPrivateKeys);
  const bootstrapKey = parseApiKey(config.bootstrapApiKey);
  if (!bootstrapKey) throw new ConfigError(['BOOTSTRAP_API_KEY has not the form of an API key']);
  const open = new Resources(log);
  const health = new Health();
  const metrics = createMetrics({ service: 'auth', instance });
  try {
    const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry: metrics.registry });
    open.add('admin', admin, (server) => server.close());
    const postgres = open.add('postgres', createPostgres(config.databaseUrl, { log }), (pool) => pool.end());
    const now = () => new Date();
    const apiKeys = postgresApiKeys(postgres);
    const patience = { timeoutMs: config.startupTimeoutMs, log };
    await untilReachable('PostgreSQL', () => prepare(postgres, () => apiKeys.putBootstrap(bootstrapKey, now())), patience);

    const work = boundedWork({ atOnce: config.passwordHashesAtOnce, waitingMax: config.passwordHashesWaiting });
    const authMetrics = createAuthMetrics(metrics.registry, () => work.waiting);
    const { accessTokenSeconds, refreshTokenSeconds } = config;
    const login = createLogin({
      accounts: postgresAccounts(postgres),
      sessions: postgresSessions(postgres),
      passwords: await argon2Passwords(work),
      tokens: jwtIssuer({ keys, issuer: config.jwtIssuer, audience: config.jwtAudience, lifeSeconds: accessTokenSeconds }),
      log,
      now,
      accessTokenSeconds,
      refreshTokenSeconds,
    });
    const app = createHttpApp({
      service: 'auth',
      log,
      metrics,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
      allowedOrigins: config.allowedOrigins,
      parseJson: false,
      health: () => ({ status: health.draining ? 'draining' : 'ok', service: 'auth', instance, version: VERSION }),
      routes: (routes) =>
        addAuthRoutes(routes, {
          login,
          apiKey: requireApiKey('auth', { apiKeys, log, now }),
          limits: attemptLimits(config.authAttemptsPerMinute, (limit) => authMetrics.limited.inc({ limit })),
          metrics: authMetrics,
          keys: keys.published,
        }),
    });
    open.add('sweep', sweepExpired({ pool: postgres, log, now }), (stop) => stop());
    const check = watchDependency({ health, log, name: 'postgres', ping: () => postgres.query('SELECT 1') });
    open.add('postgres check', check, (stop) => stop());
    const server = await listen(app, { host: config.serverHost, port: config.serverPort });
    open.add('http', server, (http) => http.close());
    health.started();
    log.info({ port: server.port, adminPort: admin.port, kid: keys.kid }, 'auth is ready');
    return {
      port: server.port,
      adminPort: admin.port,
      close: async () => {
        health.drain();
        await open.close();
      },
    };
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** The migrations may still be running when this process starts; until they are done there is no table for the key. */
async function prepare(postgres: PostgresPool, putKey: () => Promise<void>): Promise<void> {
  const { rows } = await postgres.query<{ ready: boolean }>(`SELECT to_regclass('api_keys') IS NOT NULL AS ready`);
  if (!rows[0]?.ready) throw new Error('the user database has no schema yet; the migrations have to run first');
  await putKey();
}

function attemptLimits(max: number, onRefused: (limit: string) => void): AttemptLimits {
  const limit = () => new AttemptLimit({ max, windowMs: ATTEMPT_WINDOW_MS, keysMax: ATTEMPT_KEYS_MAX });
  return { byAddress: limit(), byEmail: limit(), windowMs: ATTEMPT_WINDOW_MS, onRefused };
}
