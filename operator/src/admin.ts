// /healthz, /readyz and /metrics of the operator.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export async function startAdmin({
  port,
  registry,
  ready,
}: {
  port: number;
  registry: Registry;
  ready: () => boolean;
}): Promise<{ port: number; close: () => void }> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/healthz') response.end('ok\n');
    else if (path === '/readyz') response.writeHead(ready() ? 200 : 503).end(ready() ? 'ok\n' : 'not ready\n');
    else if (path === '/metrics') {
      registry.metrics().then(
        (text) => response.setHeader('content-type', registry.contentType).end(text),
        () => response.writeHead(500).end(),
      );
    } else response.writeHead(404).end();
  });
  server.listen(port);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
