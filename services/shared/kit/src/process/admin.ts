// The admin port: /healthz, /readyz and /metrics, away from the public port so that nothing of it is reachable from outside.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { messageOf } from './errors.ts';
import type { Health } from './health.ts';
import { createHealthMetrics } from './metrics.ts';

/** A listening admin port. */
export interface AdminServer {
  port: number;
  close(): Promise<void>;
}

/** What the admin port answers beside health and metrics. */
export interface AdminOptions {
  /** Left out: every address, of IPv6 too where there is one. */
  host?: string;
  port: number;
  health: Health;
  registry: Registry;
  /** further paths and the JSON they answer with */
  more?: Readonly<Record<`/${string}`, () => object>>;
  /** paths that take a POST with JSON; what they throw is the caller's fault */
  commands?: Readonly<Record<`/${string}`, (body: unknown) => object>>;
}

const BODY_MAX_BYTES = 10_000;

/** Starts the admin server. It is opened first and closed last, so that readiness can be asked for throughout. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { health, registry, more = {}, commands = {} } = options;
  createHealthMetrics(registry, health);
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const command = Object.hasOwn(commands, path) ? commands[path as `/${string}`] : undefined;
    if (command) {
      if (request.method !== 'POST') response.writeHead(405, { allow: 'POST' }).end();
      else
        bodyOf(request).then(
          (body) => {
            try {
              json(200, command(JSON.parse(body)));
            } catch (error) {
              json(400, { error: messageOf(error) });
            }
          },
          (error: unknown) => json(413, { error: messageOf(error) }),
        );
    } else if (path === '/healthz') json(200, { status: 'ok' });
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
      else
        json(404, {
          error: `known paths: ${['/healthz', '/readyz', '/metrics', ...Object.keys(more), ...Object.keys(commands)].join(', ')}`,
        });
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

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const part of request) {
    text += part as string;
    if (text.length > BODY_MAX_BYTES) throw new Error(`the body has more than ${BODY_MAX_BYTES} bytes`);
  }
  return text;
}
