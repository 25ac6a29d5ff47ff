// Composition root of the gateway: pools to the services behind it, then the public port; closes them in reverse.
import { createHttpApp, listen, parseTrustedProxies, requireUser } from '@parley/kit/http';
import { createMetrics, Health, startAdmin, type Log } from '@parley/kit/process';
import { createRateLimiter, createRateLimitMetrics, LocalRateLimiter } from '@parley/kit/rate-limit';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { Resources, type Running } from '@parley/kit/run';
import { configuredVerifier, watchRevocations } from '@parley/kit/tokens';
import type { Registry } from 'prom-client';
import { undiciUpstream } from './adapters/undici-upstream.ts';
import type { GatewayConfig } from './config.ts';
import { gatewayErrors, operationsOf } from './domain/operations.ts';
import { addGatewayRoutes } from './edge/http.ts';
import type { RequestLimit } from './edge/request-guard.ts';

/** The version of all packages of the repository. */
const VERSION = '0.1.0';
/** Users and addresses that one process remembers for the time while Redis is away; about 10 MB at most. */
const LIMIT_KEYS_MAX = 50_000;
/** Longest wait for Redis before this process decides alone: a REST call is worth more patience than a message. */
const LIMIT_WAIT_MS = 250;

/** A gateway that is ready. Ports are TCP ports: that of callers, and that of health and metrics. */
export interface RunningGateway extends Running {
  port: number;
  adminPort: number;
}

interface Context {
  config: GatewayConfig;
  log: Log;
  instance: string;
}

/**
 * Resolves when calls are taken; the services behind it may come later. Rejects with what kept it from starting; nothing is left open then.
 * `instance` is the name of this process.
 */
export async function startGateway({ config, log, instance }: Context): Promise<RunningGateway> {
  const open = new Resources(log);
  const health = new Health();
  const metrics = createMetrics({ service: 'gateway', instance });
  try {
    const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry: metrics.registry });
    open.add('admin', admin, (server) => server.close());
    const limits = {
      connectTimeoutMs: config.upstreamConnectTimeoutMs,
      timeoutMs: config.upstreamTimeoutMs,
      requestsMax: config.upstreamRequestsMax,
    };
    const upstream = (name: string, url: string) =>
      open.add(name, undiciUpstream({ name, url, log, ...limits }), (running) => running.close());
    const upstreams = {
      auth: upstream('auth', config.authUrl),
      core: upstream('core', config.coreUrl),
      worker: config.workerUrl === undefined ? undefined : upstream('worker', config.workerUrl),
    };
    const redis = open.add('redis', createRedis(config.redisUrl, `gateway-${instance}`, log), (client) => client.disconnect());
    const limit = requestLimit(redis, { config, log, registry: metrics.registry });
    const watch = await watchRevocations({ redis, redisUrl: config.redisUrl, name: `gateway-${instance}-revocations`, log });
    open.add('revocations', watch, (each) => each.close());
    const verifier = configuredVerifier(config);
    const app = createHttpApp({
      service: 'gateway',
      log,
      metrics,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
      allowedOrigins: config.allowedOrigins,
      parseJson: false,
      operations: operationsOf(upstreams),
      everywhere: gatewayErrors,
      health: () => ({ status: health.draining ? 'draining' : 'ok', service: 'gateway', instance, version: VERSION }),
      routes: (routes) => addGatewayRoutes(routes, { upstreams, requireUser: requireUser(verifier, watch.revocations), limit, log }),
    });
    const server = await listen(app, { host: config.serverHost, port: config.serverPort });
    open.add('http', server, (http) => http.close());
    // Ready without the services behind it: one that is away must not take the others' routes with it.
    health.started();
    log.info({ port: server.port, adminPort: admin.port }, 'gateway is ready');
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

/** Redis is not waited for: without it each replica counts by itself. */
function requestLimit(redis: RedisClient, { config, log, registry }: Omit<Context, 'instance'> & { registry: Registry }): RequestLimit {
  const metrics = createRateLimitMetrics(registry);
  const local = new LocalRateLimiter({ bucketsMax: LIMIT_KEYS_MAX });
  const limiter = createRateLimiter({ redis, log, metrics, local, waitMs: LIMIT_WAIT_MS });
  return { limiter, limit: { burst: config.rateRestBurst, perSecond: config.rateRestPerSecond } };
}
