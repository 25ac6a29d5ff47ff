// Services that are away, hang, break off or are too slow; clients that leave; a drain.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Problem } from '@parley/protocol';
import { program } from '../../helpers/program.ts';
import { freePort } from '../../helpers/servers.ts';
import { echo, openRequest, startGatewayStack, textOf } from './gateway-stack.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

let stack: Awaited<ReturnType<typeof startGatewayStack>>;
before(async () => {
  stack = await startGatewayStack();
});
after(() => stack.stop());
beforeEach(() => {
  for (const service of [stack.auth, stack.core]) Object.assign(service, { calls: [], answer: echo });
});

const url = (path: string) => stack.url + path;
async function expectProblem(response: Response, status: number, code: string) {
  assert.equal(response.status, status);
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(((await response.json()) as Problem).code, code);
}

describe('a service', () => {
  test('that is away: 502, and nothing else is', async () => {
    // Not one that the system could give to the gateway itself.
    const other = await startGatewayStack({ CORE_URL: `http://127.0.0.1:${await freePort()}` });
    try {
      await expectProblem(await fetch(`${other.url}/api/rooms`, { headers: await other.bearer() }), 502, 'bad_gateway');
      await expectProblem(
        await fetch(`${other.url}/api/rooms`, { method: 'POST', body: '{}', headers: await other.bearer() }),
        502,
        'bad_gateway',
      );
      assert.equal((await fetch(`${other.url}/api/v1/auth/x`)).status, 200);
      assert.equal((await fetch(`${other.adminUrl}/readyz`)).status, 200);
    } finally {
      await other.stop();
    }
  });
  test('that does not answer in time: 504', { timeout: 90_000 }, async () => {
    stack.auth.answer = () => undefined;
    await expectProblem(await fetch(url('/api/v1/auth/x')), 504, 'gateway_timeout');
    assert.equal(stack.auth.calls.length, 1, 'a late call is not made again');
    await expectProblem(await fetch(url('/api/v1/auth/x'), { method: 'POST', body: '{}' }), 504, 'gateway_timeout');
    assert.equal(stack.auth.calls.length, 2);
  });
  test('that answers something else than HTTP: 502', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).end('not http at all\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const other = await startGatewayStack({ AUTH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    try {
      await expectProblem(await fetch(`${other.url}/api/v1/auth/x`), 502, 'bad_gateway');
    } finally {
      await other.stop();
      server.close();
    }
  });
  test('that drops the connection gets a read once more and a write never', async () => {
    let drops = 1;
    stack.auth.answer = (request, response) => {
      if (drops-- > 0) request.socket.destroy();
      else echo(request, response);
    };
    assert.equal((await fetch(url('/api/v1/auth/x'))).status, 200);
    assert.equal(stack.auth.calls.length, 2);
    drops = 1;
    await expectProblem(await fetch(url('/api/v1/auth/x'), { method: 'POST', body: '{}' }), 502, 'bad_gateway');
    assert.equal(stack.auth.calls.length, 3);
  });
  test('that breaks off in the middle of its answer: the client sees a cut, not an end', { timeout: 90_000 }, async () => {
    stack.auth.answer = (request, response) => {
      response.write('half');
      setTimeout(() => request.socket.destroy(), 50);
    };
    const { outgoing, answered } = openRequest(url('/api/v1/auth/x'), {});
    outgoing.end();
    const incoming = await answered;
    assert.equal(incoming.statusCode, 200);
    await assert.rejects(textOf(incoming), /aborted/);
  });
  test('without keys: 503, because the token cannot be checked', async () => {
    const port = await freePort();
    const other = await startGatewayStack({ JWKS_URL: `http://127.0.0.1:${port}/jwks` });
    try {
      await expectProblem(await fetch(`${other.url}/api/rooms`, { headers: await other.bearer() }), 503, 'unavailable');
      assert.equal(other.core.calls.length, 0);
    } finally {
      await other.stop();
    }
  });
  test('with too many calls in flight: 503 for the next one, and room again afterwards', { timeout: 90_000 }, async () => {
    const other = await startGatewayStack({ UPSTREAM_REQUESTS_MAX: '2', UPSTREAM_TIMEOUT_MS: '10000' });
    try {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      const arrived = new Promise<void>((resolve) => {
        other.auth.answer = (request, response) => {
          if (other.auth.calls.length === 2) resolve();
          void released.then(() => echo(request, response));
        };
      });
      const first = [fetch(`${other.url}/api/v1/auth/a`), fetch(`${other.url}/api/v1/auth/b`)];
      await arrived;
      await expectProblem(await fetch(`${other.url}/api/v1/auth/c`), 503, 'overloaded');
      release();
      for (const response of await Promise.all(first)) await response.text();
      assert.equal((await fetch(`${other.url}/api/v1/auth/d`)).status, 200);
    } finally {
      await other.stop();
    }
  });
});

test('a client that leaves ends the call to the service', { timeout: 90_000 }, async () => {
  // Long after the test's own time: only the client's leaving can end the call.
  const other = await startGatewayStack({ UPSTREAM_TIMEOUT_MS: '600000' });
  const closed = new Promise<void>((resolve) => {
    other.auth.answer = (request) => void request.socket.once('close', () => resolve());
  });
  const { outgoing } = openRequest(`${other.url}/api/v1/auth/x`, {});
  outgoing.end();
  while (other.auth.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  outgoing.destroy();
  await closed;
  assert.equal((await fetch(`${other.adminUrl}/healthz`)).status, 200);
  await other.stop();
});

test('a drain finishes the call in flight, takes no new one, and does not wait for kept connections', { timeout: 60_000 }, async () => {
  const other = await startGatewayStack();
  try {
    let finish: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      other.auth.answer = (_request, response) => {
        finish = () => response.end('done');
        resolve();
      };
    });
    const slow = fetch(`${other.url}/api/v1/auth/x`);
    await arrived;
    const closing = other.close();
    await assert.rejects(fetch(`${other.url}/api/v1/auth/x`), 'no longer listening');
    finish();
    assert.equal(await (await slow).text(), 'done');
    // A kept connection lives for 65 s, longer than this test may.
    await closing;
  } finally {
    await other.stop();
  }
});

test('the process lists everything that is missing and ends with 78', { timeout: 90_000 }, async () => {
  const child = spawn(process.execPath, program('services/gateway/src/main.ts'), { cwd: root, env: { CORE_URL: 'core' } });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 78);
  for (const line of ['AUTH_URL is missing', 'CORE_URL is wrong', 'JWKS_URL is missing', 'REDIS_URL is missing'])
    assert.match(output, new RegExp(`^  ${line}`, 'm'));
});
