// A gateway in front of two services that the test plays itself.
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gatewayConfig, startGateway } from '@parley/gateway';
import { createLog, loadConfig } from '@parley/kit/process';
import { startTokenIssuer } from '../../helpers/tokens.ts';

export const quiet = createLog({ service: 'test', instance: 'test', level: 'fatal' });

export interface PlayedService {
  url: string;
  /** Calls that arrived, with complete headers; bodies may still be on their way. */
  calls: IncomingMessage[];
  answer: RequestListener;
  server: Server;
  stop(): Promise<void>;
}

/** Answers 200 and what it was sent, until `answer` is replaced. */
export async function playService(): Promise<PlayedService> {
  const service: PlayedService = {
    url: '',
    calls: [],
    answer: echo,
    server: createServer((request, response) => {
      service.calls.push(request);
      service.answer(request, response);
    }),
    stop: async () => {
      service.server.closeAllConnections();
      service.server.close();
      await once(service.server, 'close');
    },
  };
  service.server.listen(0, '127.0.0.1');
  await once(service.server, 'listening');
  service.url = `http://127.0.0.1:${(service.server.address() as AddressInfo).port}`;
  return service;
}

export const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() }),
    );
  });
};

export async function startGatewayStack(changes: Record<string, string> = {}) {
  const [auth, core, issuer] = await Promise.all([playService(), playService(), startTokenIssuer()]);
  const env = {
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    AUTH_URL: auth.url,
    CORE_URL: `${core.url}/`,
    JWKS_URL: issuer.jwksUrl,
    ALLOWED_ORIGINS: 'https://chat.example.org',
    UPSTREAM_TIMEOUT_MS: '1500',
    // Nobody listens there: limits of this process only. Suites that are not about limits make more calls than a user may.
    REDIS_URL: 'redis://127.0.0.1:1',
    RATE_REST_BURST: '10000',
    ...changes,
  };
  const gateway = await startGateway({ config: loadConfig(gatewayConfig, env, () => ''), log: quiet, instance: 'gateway-test' });
  let stopped = false;
  return {
    auth,
    core,
    issuer,
    env,
    gateway,
    url: `http://127.0.0.1:${gateway.port}`,
    adminUrl: `http://127.0.0.1:${gateway.adminPort}`,
    bearer: async (userId = 1) => ({ authorization: `Bearer ${await issuer.token(userId)}` }),
    close: async () => {
      stopped = true;
      await gateway.close();
    },
    stop: async () => {
      if (!stopped) await gateway.close();
      await Promise.all([auth.stop(), core.stop(), issuer.stop()]);
    },
  };
}

/** A request whose body the test writes piece by piece, and whose answer it reads piece by piece. */
export function openRequest(url: string, options: { method?: string; headers?: Record<string, string>; path?: string }) {
  const outgoing = httpRequest(url, { agent: false, ...options });
  const answered = once(outgoing, 'response').then(([incoming]) => incoming as IncomingMessage);
  // Tests that break the request off themselves do not wait for the answer.
  answered.catch(() => undefined);
  outgoing.on('error', () => undefined);
  return { outgoing, answered };
}

export async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
