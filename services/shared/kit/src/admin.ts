// The admin port: /healthz, /readyz and /metrics, away from the public port so that nothing of it is reachable from outside.
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Health } from './health.ts';

export interface AdminServer {
  port: number;
  close(): Promise<void>;
}

export interface AdminOptions {
  host: string;
  port: number;
  health: Health;
  registry: Registry;
  /** further paths and the JSON they answer with */
  more?: Readonly<Record<`/${string}`, () => object>>;
}

/** Starts the admin server. It is opened first and closed last, so that readiness can be asked for throughout. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { health, registry, more = {} } = options;
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (path === '/healthz') json(200, { status: 'ok' });
    else if (path === '/readyz') {
      const readiness = health.readiness();
      json(readiness.ready ? 200 : 503, readiness);
    } else if (path === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else {
      const answer = Object.hasOwn(more, path) ? more[path as `/${string}`] : undefined;
      if (answer) json(200, answer());
      else json(404, { error: `known paths: ${['/healthz', '/readyz', '/metrics', ...Object.keys(more)].join(', ')}` });
    }
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
