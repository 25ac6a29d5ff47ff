// Which methods a path has: 405 with Allow for others, OPTIONS answered, unknown paths 404, and the document of the service.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { addRoute, createHttpApp, listen, parseTrustedProxies, type HttpServer } from '@parley/kit/http';
import { createLog, createMetrics } from '@parley/kit/process';
import { coreOperations, userOperations, type Problem } from '@parley/protocol';

let server: HttpServer;
const call = (method: string, path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers });

describe('methods of a path', () => {
  before(async () => {
    const app = createHttpApp({
      service: 'test',
      log: createLog({ service: 'test', instance: 'test', level: 'fatal' }),
      metrics: createMetrics({ service: 'test', instance: 'test' }),
      trustedProxies: parseTrustedProxies([]),
      allowedOrigins: ['https://chat.example.org'],
      operations: coreOperations,
      health: () => ({ status: 'ok', service: 'test', instance: 'test', version: '1.2.3' }),
      routes: (routes) =>
        addRoute(routes, { operation: userOperations.getUser, handle: ({ params: { id } }) => ({ body: { id, name: 'Ada' } }) }),
    });
    server = await listen(app, { host: '127.0.0.1', port: 0 });
  });
  after(() => server.close());

  test('a method that a path has not is 405 with Allow', async () => {
    for (const [method, path, allow] of [
      ['PUT', '/api/v1/users/7', 'GET, HEAD, OPTIONS'],
      ['DELETE', '/api/v1/users/me', 'GET, HEAD, OPTIONS'],
      ['PATCH', '/api/rooms/direct', 'POST, OPTIONS'],
      ['PATCH', '/api/rooms', 'POST, GET, HEAD, OPTIONS'],
      ['GET', '/api/rooms/x/leave/', 'POST, OPTIONS'],
      ['POST', '/api/health', 'GET, HEAD, OPTIONS'],
      ['DELETE', '/api/openapi.json', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const answer = await call(method, path);
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(answer.headers.get('allow'), allow, `${method} ${path}`);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.equal(((await answer.json()) as Problem).code, 'method_not_allowed');
    }
  });

  test('an unknown path is 404, whatever the method', async () => {
    for (const method of ['GET', 'PUT', 'OPTIONS']) assert.equal((await call(method, '/api/elsewhere')).status, 404, method);
  });

  test('OPTIONS says what is allowed; a browser that asks for CORS gets its answer', async () => {
    const plain = await call('OPTIONS', '/api/v1/users/7');
    assert.deepEqual([plain.status, plain.headers.get('allow')], [204, 'GET, HEAD, OPTIONS']);
    const browser = await call('OPTIONS', '/api/v1/users/7', { origin: 'https://chat.example.org' });
    assert.deepEqual([browser.status, browser.headers.get('access-control-allow-origin')], [204, 'https://chat.example.org']);
  });

  test('HEAD is GET without the body', async () => {
    const answer = await call('HEAD', '/api/v1/users/7');
    assert.deepEqual([answer.status, await answer.text()], [200, '']);
    assert.equal(answer.headers.get('content-length'), String((await (await call('GET', '/api/v1/users/7')).text()).length));
  });

  test('the service describes itself', async () => {
    const document = (await (await call('GET', '/api/openapi.json')).json()) as { info: { version: string }; paths: object };
    assert.equal(document.info.version, '1.2.3');
    assert.ok('/api/v1/users/{id}' in document.paths && '/api/health' in document.paths);
  });
});
