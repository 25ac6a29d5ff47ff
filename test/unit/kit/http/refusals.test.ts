// Every operation of the tables, served: what does not follow its schema is refused with 400 and the path of the fault, before the
// handler; what follows it arrives.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { addRoute, createHttpApp, exampleOf, listen, parseTrustedProxies, type HttpServer } from '@parley/kit/http';
import { createLog, createMetrics } from '@parley/kit/process';
import { authOperations, coreOperations, workerOperations, type Operation, type Operations, type Problem } from '@parley/protocol';
import { declaredBy } from '../../../helpers/declared-answers.ts';

const operations: Operations = { ...authOperations, ...coreOperations, ...workerOperations };
const declared = declaredBy(operations);
let server: HttpServer;
let handled: string[] = [];

async function call({ method, path }: Operation, { query = '', ids = 'ok', body = undefined as unknown, type = 'application/json' }) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (ids === 'ok' ? goodId(path, name) : ids)) + query;
  const response = await fetch(`http://127.0.0.1:${server.port}${filled}`, {
    method: method.toUpperCase(),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': type } }),
  });
  const text = await response.text();
  return {
    ...{ method, path: filled, status: response.status, type: response.headers.get('content-type') ?? '' },
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

const goodId = (path: string, name: string) =>
  name === 'user_id' || /users|api-keys/.test(path) ? '7' : '01980a3e-7c11-7d2f-9b1e-4f6f8a3b2c1d';
/** The required fields of the query. */
const goodQuery = ({ query }: Operation) => `?${new URLSearchParams(query ? (exampleOf(query) as Record<string, string>) : {}).toString()}`;
const good = (operation: Operation) => ({
  query: goodQuery(operation),
  ...(operation.body ? { body: exampleOf(operation.body) } : {}),
});

async function refused(operation: Operation, wrong: Parameters<typeof call>[1], at: string): Promise<void> {
  handled = [];
  const answer = await call(operation, { ...good(operation), ...wrong });
  const where = `${operation.method} ${answer.path} ${JSON.stringify(wrong)} -> ${JSON.stringify(answer.body)}`;
  assert.equal(answer.status, 400, where);
  declared(answer);
  const [error] = (answer.body as Problem).errors ?? [];
  assert.ok(error?.path.startsWith(at), `${where}: no path ${at}`);
  assert.deepEqual(handled, [], where);
}

describe('every operation', () => {
  before(async () => {
    const app = createHttpApp({
      service: 'test',
      log: createLog({ service: 'test', instance: 'test', level: 'fatal' }),
      metrics: createMetrics({ service: 'test', instance: 'test' }),
      trustedProxies: parseTrustedProxies([]),
      allowedOrigins: [],
      operations,
      health: () => ({ status: 'ok', service: 'test', instance: 'test', version: '1.2.3' }),
      routes: (routes) => {
        for (const [id, operation] of Object.entries(operations))
          addRoute(routes, {
            operation,
            handle: () => {
              handled.push(id);
              const [[status, schema] = ['204', null]] = Object.entries(operation.answers);
              return schema ? { status: Number(status), body: exampleOf(schema) } : { status: Number(status) };
            },
          });
      },
    });
    server = await listen(app, { host: '127.0.0.1', port: 0 });
  });
  after(() => server.close());

  test('is reached by a call that follows its schemas, and its example is a declared answer', async () => {
    for (const [id, operation] of Object.entries(operations)) {
      handled = [];
      declared(await call(operation, good(operation)));
      assert.deepEqual(handled, [id]);
    }
  });

  test('refuses a body with an unknown field, of another kind, or none', async () => {
    for (const operation of Object.values(operations)) {
      const { body } = operation;
      if (!body) continue;
      await refused(operation, { body: { ...(exampleOf(body) as object), unknown: 1 } }, '/unknown');
      await refused(operation, { body: [] }, '/');
      for (const [name, field] of Object.entries((body as { properties?: Record<string, { type?: string }> }).properties ?? {}))
        await refused(operation, { body: { ...(exampleOf(body) as object), [name]: field.type === 'boolean' ? 'x' : true } }, `/${name}`);
    }
  });

  test('refuses a body that is no JSON, and one that says it is something else', async () => {
    for (const operation of Object.values(operations)) {
      if (!operation.body) continue;
      for (const [wrong, status] of [
        [{ body: '{' }, 400],
        [{ body: '{}', type: 'text/plain' }, 415],
      ] as const) {
        const answer = await call(operation, wrong);
        assert.equal(answer.status, status, `${answer.method} ${answer.path}`);
        declared(answer);
      }
    }
  });

  test('refuses a query with an unknown field or a wrong value', async () => {
    for (const operation of Object.values(operations)) {
      if (!operation.query) continue;
      await refused(operation, { query: `${goodQuery(operation)}&unknown=1` }, '/query/unknown');
      if (!Object.hasOwn(operation.query['properties'] as object, 'limit')) continue;
      for (const wrong of ['0', '-1', '101', 'many', '1.5', '']) await refused(operation, { query: `?limit=${wrong}` }, '/query/limit');
      await refused(operation, { query: '?limit=5&limit=6' }, '/query/limit');
    }
  });

  test('refuses ids that are none', async () => {
    for (const operation of Object.values(operations)) {
      if (!operation.params) continue;
      await refused(operation, { ids: 'x'.repeat(101) }, '/path/');
    }
  });
});
