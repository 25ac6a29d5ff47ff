// Composition root of auth: opens the database, then the public port; closes them in reverse.
import { requireUser, startHttpService, type HttpServiceContext, type RunningHttpService } from '@parley/kit/http';
import { ConfigError, untilReachable, watchDependency, type Log } from '@parley/kit/process';
import { createRateLimiter, createRateLimitMetrics, LocalRateLimiter } from '@parley/kit/rate-limit';
import type { RedisClient } from '@parley/kit/redis';
import { createPostgres, type PostgresPool } from '@parley/kit/sql';
import { authOperations } from '@parley/protocol';
import type { Registry } from 'prom-client';
import { createAccountChanges } from './account-changes.ts';
import { argon2Passwords } from './adapters/argon2-passwords.ts';
import { sweepExpired } from './adapters/expired-sessions.ts';
import { jwtIssuer } from './adapters/jwt-issuer.ts';
import { watchKeyFile, type KeyFile } from './adapters/key-file.ts';
import { keyRing, ownTokenVerifier } from './adapters/key-ring.ts';
import { postgresAccounts } from './adapters/postgres-accounts.ts';
import { postgresApiKeys } from './adapters/postgres-api-keys.ts';
import { postgresRevocations } from './adapters/postgres-revocations.ts';
import { postgresSessions } from './adapters/postgres-sessions.ts';
import { redisAnnouncer, repeatRevocations } from './adapters/redis-announcer.ts';
import { readSigningKeys } from './adapters/signing-keys.ts';
import type { AuthConfig } from './config.ts';
import { parseApiKey } from '@parley/kit/tokens';
import { boundedWork } from './domain/bounded-work.ts';
import { requireApiKey } from './edge/api-key.ts';
import { attemptsPerMinute, type AttemptLimits } from './edge/attempt-guard.ts';
import { addAuthRoutes } from './edge/http.ts';
import { createAuthMetrics } from './metrics.ts';
import { createLogin } from './sessions.ts';

/** Addresses and e-mail addresses that one process remembers while Redis is away; about 20 MB at most. */
const ATTEMPT_KEYS_MAX = 100_000;
/** Longer than elsewhere: a password hash takes as long as this wait is worth, and only the shared count holds across replicas. */
const LIMIT_WAIT_MS = 500;

interface AuthOptions extends HttpServiceContext<AuthConfig> {
  /** Where the signing keys of the configuration came from, when that may change. */
  keyFile?: KeyFile | undefined;
}

/**
 * Resolves when PostgreSQL has answered and REST is served; Redis may come later. Rejects with a ConfigError, or with what kept it from
 * starting; nothing is left open then.
 */
export async function startAuth({ keyFile, ...context }: AuthOptions): Promise<RunningHttpService> {
  const { config, log } = context;
  const keys = keyRing(readSigningKeys(config.jwtPrivateKeys));
  if (config.refreshTokenSeconds < config.accessTokenSeconds)
    throw new ConfigError(['REFRESH_TOKEN_SECONDS is less than ACCESS_TOKEN_SECONDS']);
  const bootstrapKey = parseApiKey(config.bootstrapApiKey);
  if (!bootstrapKey) throw new ConfigError(['BOOTSTRAP_API_KEY has not the form of an API key']);
  // Asked by the operator while it changes the key: ids alone.
  const signingKeys = () => ({ signs: keys.current.kid, publishes: keys.current.published.map(({ kid }) => kid) });
  return startHttpService(context, {
    service: 'auth',
    admin: { '/signing-keys': signingKeys },
    async open({ open, health, metrics, openRedis }) {
      const postgres = open.add('postgres', createPostgres(config.databaseUrl, { log }), (pool) => pool.end());
      const now = () => new Date();
      const apiKeys = postgresApiKeys(postgres);
      const patience = { timeoutMs: config.startupTimeoutMs, log };
      await untilReachable('PostgreSQL', () => prepare(postgres, () => apiKeys.putBootstrap(bootstrapKey, now())), patience);
      const redis = openRedis(config.redisUrl);
      const work = boundedWork({ atOnce: config.passwordHashesAtOnce, waitingMax: config.passwordHashesWaiting });
      const { accessTokenSeconds, refreshTokenSeconds } = config;
      const issued = { issuer: config.jwtIssuer, audience: config.jwtAudience };
      const announcer = redisAnnouncer({ redis, log, now });
      const stores = { accounts: postgresAccounts(postgres), sessions: postgresSessions(postgres) };
      const parts = { ...stores, passwords: await argon2Passwords(work), announcer, log, now };
      const tokens = jwtIssuer({ keys, ...issued, lifeSeconds: accessTokenSeconds });
      const repeater = repeatRevocations({ redis, revocations: postgresRevocations(postgres), announcer, log, now });
      open.add('repeated revocations', repeater, (stop) => stop());
      if (keyFile) open.add('signing keys', watchKeyFile(keyFile, { ring: keys, first: config.jwtPrivateKeys, log }), (stop) => stop());
      open.add('sweep', sweepExpired({ pool: postgres, log, now }), (stop) => stop());
      const check = watchDependency({ health, log, name: 'postgres', ping: () => postgres.query('SELECT 1') });
      open.add('postgres check', check, (stop) => stop());
      const routes = {
        login: createLogin({ ...parts, tokens, accessTokenSeconds, refreshTokenSeconds }),
        changes: createAccountChanges(parts),
        requireUser: requireUser(ownTokenVerifier(keys, issued)),
        apiKey: requireApiKey('auth', { apiKeys, log, now }),
        keyRoutes: { apiKeys, requireAdmin: requireApiKey('admin', { apiKeys, log, now }), log, now },
        limits: attemptLimits(redis, { config, log, registry: metrics.registry }),
        metrics: createAuthMetrics(metrics.registry, () => work.waiting),
        keys: () => keys.current.published,
      };
      const logged = { kid: keys.current.kid };
      return { operations: authOperations, parseJson: false, routes: (app) => addAuthRoutes(app, routes), logged };
    },
  });
}

/** The migrations may still be running when this process starts; until they are done the tables of this version are not there. */
async function prepare(postgres: PostgresPool, putKey: () => Promise<void>): Promise<void> {
  const { rows } = await postgres.query<{ ready: boolean }>(`SELECT to_regclass('revocations') IS NOT NULL AS ready`);
  if (!rows[0]?.ready) throw new Error('the user database has not the schema of this version yet; the migrations have to run first');
  await putKey();
}

/** Redis is not waited for: without it the limits hold in this process. */
function attemptLimits(redis: RedisClient, { config, log, registry }: { config: AuthConfig; log: Log; registry: Registry }): AttemptLimits {
  const limiter = createRateLimiter({
    redis,
    log,
    metrics: createRateLimitMetrics(registry),
    local: new LocalRateLimiter({ bucketsMax: ATTEMPT_KEYS_MAX }),
    waitMs: LIMIT_WAIT_MS,
  });
  return { limiter, limit: attemptsPerMinute(config.authAttemptsPerMinute) };
}
