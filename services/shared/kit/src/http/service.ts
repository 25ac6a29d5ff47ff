// A REST service from its start to its end: what auth, core, gateway and worker have in common. Opened in the order admin port, the service's
// own parts, public port; closed in reverse, with readiness gone first.
import type { ErrorCodeName, Operations } from '@parley/protocol';
import type { Express } from 'express';
import { startAdmin } from '../process/admin.ts';
import { Health } from '../process/health.ts';
import type { Log } from '../process/log.ts';
import { createMetrics, type Metrics } from '../process/metrics.ts';
import { VERSION } from '../process/version.ts';
import { createRedis, type RedisClient } from '../redis/redis.ts';
import { Resources, type Running } from '../run/lifecycle.ts';
import { parseTrustedProxies } from './client-ip.ts';
import { createHttpApp, listen } from './http.ts';

/** A service that is ready. */
export interface RunningHttpService extends Running {
  /** TCP port of the API. */
  port: number;
  /** TCP port of health and metrics. */
  adminPort: number;
}

/** The settings that are read here; those of `commonConfig` hold them. */
export interface HttpServiceConfig {
  serverHost: string;
  serverPort: number;
  adminHost: string;
  adminPort: number;
  trustedProxies: readonly string[];
  allowedOrigins: readonly string[];
}

/** What every service is started with. */
export interface HttpServiceContext<Config> {
  config: Config;
  log: Log;
  /** Name of this process, unique among its like. */
  instance: string;
}

/** What a service opens its parts with. */
export interface Opening {
  /** What is opened is added here, and closed in reverse. */
  open: Resources;
  health: Health;
  metrics: Metrics;
  /** A connection for commands, named after the service and closed with it. */
  openRedis: (url: string) => RedisClient;
}

/** What a service serves. */
export interface Served {
  operations: Operations;
  /** Adds the routes of the operations. */
  routes: (app: Express) => void;
  /** false for a service that reads bodies by itself; true unless told */
  parseJson?: boolean;
  /** Codes that any operation may be refused with. */
  everywhere?: readonly ErrorCodeName[];
  /** Fields of the line in the log that says it is ready. */
  logged?: Record<string, unknown>;
}

/** The service's own: its name, further paths of its admin port, its parts. */
export interface HttpServiceParts {
  service: string;
  /** Further paths of the admin port and the JSON they answer with. */
  admin?: Readonly<Record<`/${string}`, () => object>>;
  /** Opens what the service needs, in order; rejects with what keeps it from starting. */
  open: (opening: Opening) => Promise<Served>;
}

/** Resolves when the service is ready. Rejects with what kept it from starting; nothing is left open then. */
export async function startHttpService<Config extends HttpServiceConfig>(
  { config, log, instance }: HttpServiceContext<Config>,
  { service, admin: more, open: openParts }: HttpServiceParts,
): Promise<RunningHttpService> {
  const open = new Resources(log);
  const health = new Health();
  const metrics = createMetrics({ service, instance });
  try {
    const { adminHost: host, adminPort } = config;
    const about = { host, port: adminPort, health, registry: metrics.registry, ...(more ? { more } : {}) };
    const admin = open.add('admin', await startAdmin(about), (server) => server.close());
    const openRedis = (url: string) => open.add('redis', createRedis(url, `${service}-${instance}`, log), (client) => client.disconnect());
    const { logged = {}, ...served } = await openParts({ open, health, metrics, openRedis });
    const app = createHttpApp({
      ...{ service, log, metrics, ...served },
      trustedProxies: parseTrustedProxies(config.trustedProxies),
      allowedOrigins: config.allowedOrigins,
      health: () => ({ status: health.draining ? 'draining' : 'ok', service, instance, version: VERSION }),
    });
    const server = open.add('http', await listen(app, { host: config.serverHost, port: config.serverPort }), (http) => http.close());
    health.started();
    log.info({ port: server.port, adminPort: admin.port, ...logged }, `${service} is ready`);
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
