// Composition root of the gateway: pools to the services behind it, then the public port; closes them in reverse.
import { requireUser, startHttpService, type HttpServiceContext, type RunningHttpService } from '@parley/kit/http';
import { createRateLimiter, createRateLimitMetrics, LocalRateLimiter } from '@parley/kit/rate-limit';
import type { RedisClient } from '@parley/kit/redis';
import { configuredVerifier, rememberingVerifier, watchRevocations } from '@parley/kit/tokens';
import type { Registry } from 'prom-client';
import { undiciUpstream } from './adapters/undici-upstream.ts';
import type { GatewayConfig } from './config.ts';
import { gatewayErrors, operationsOf } from './domain/operations.ts';
import { addGatewayRoutes } from './edge/http.ts';
import type { RequestLimit } from './edge/request-guard.ts';

/** Users and addresses that one process remembers for the time while Redis is away; about 10 MB at most. */
const LIMIT_KEYS_MAX = 50_000;
/** Longest wait for Redis before this process decides alone: a REST call is worth more patience than a message. */
const LIMIT_WAIT_MS = 250;

type Context = HttpServiceContext<GatewayConfig>;

/**
 * Resolves when calls are taken; the services behind it may come later. Rejects with what kept it from starting; nothing is left open then.
 */
export async function startGateway(context: Context): Promise<RunningHttpService> {
  const { config, log, instance } = context;
  return startHttpService(context, {
    service: 'gateway',
    async open({ open, metrics, openRedis }) {
      const limits = {
        connectTimeoutMs: config.upstreamConnectTimeoutMs,
        timeoutMs: config.upstreamTimeoutMs,
        requestsMax: config.upstreamRequestsMax,
      };
      const upstream = (name: string, url: string) =>
        open.add(name, undiciUpstream({ name, url, log, ...limits }), (running) => running.close());
      // Ready without the services behind it: one that is away must not take the others' routes with it.
      const upstreams = {
        auth: upstream('auth', config.authUrl),
        core: upstream('core', config.coreUrl),
        worker: config.workerUrl === undefined ? undefined : upstream('worker', config.workerUrl),
      };
      const redis = openRedis(config.redisUrl);
      const limit = requestLimit(redis, { config, log, registry: metrics.registry });
      const watch = await watchRevocations({ redis, redisUrl: config.redisUrl, name: `gateway-${instance}-revocations`, log });
      open.add('revocations', watch, (each) => each.close());
      const user = requireUser(rememberingVerifier(configuredVerifier(config)), watch.revocations);
      return {
        operations: operationsOf(upstreams),
        everywhere: gatewayErrors,
        parseJson: false,
        routes: (app) => addGatewayRoutes(app, { upstreams, requireUser: user, limit, log }),
      };
    },
  });
}

/** Redis is not waited for: without it each replica counts by itself. */
function requestLimit(redis: RedisClient, { config, log, registry }: Omit<Context, 'instance'> & { registry: Registry }): RequestLimit {
  const metrics = createRateLimitMetrics(registry);
  const local = new LocalRateLimiter({ bucketsMax: LIMIT_KEYS_MAX });
  const limiter = createRateLimiter({ redis, log, metrics, local, waitMs: LIMIT_WAIT_MS });
  return { limiter, limit: { burst: config.rateRestBurst, perSecond: config.rateRestPerSecond } };
}
