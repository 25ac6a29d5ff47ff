// Composition root of the gateway: pools to the services behind it, then the public port; closes them in reverse.
import {
  createHttpApp,
  createMetrics,
  createTokenVerifier,
  Health,
  listen,
  parseTrustedProxies,
  requireUser,
  Resources,
  startAdmin,
  type Log,
  type Running,
} from '@parley/kit';
import { undiciUpstream } from './adapters/undici-upstream.ts';
import type { GatewayConfig } from './config.ts';
import { addGatewayRoutes } from './edge/http.ts';

/** The version of all packages of the repository. */
const VERSION = '0.1.0';

export interface RunningGateway extends Running {
  port: number;
  adminPort: number;
}

interface Context {
  config: GatewayConfig;
  log: Log;
  instance: string;
}

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
    const upstreams = { auth: upstream('auth', config.authUrl), core: upstream('core', config.coreUrl) };
    const verifier = createTokenVerifier({ jwksUrl: config.jwksUrl, issuer: config.jwtIssuer, audience: config.jwtAudience });
    const app = createHttpApp({
      service: 'gateway',
      log,
      metrics,
      trustedProxies: parseTrustedProxies(config.trustedProxies),
      allowedOrigins: config.allowedOrigins,
      parseJson: false,
      health: () => ({ status: health.draining ? 'draining' : 'ok', service: 'gateway', instance, version: VERSION }),
      routes: (routes) => addGatewayRoutes(routes, { upstreams, requireUser: requireUser(verifier), log }),
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
