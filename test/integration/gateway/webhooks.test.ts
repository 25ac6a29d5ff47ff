// The way to the administration of webhooks: to the worker with its API key, without a token; no way where there is no worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playService, startGatewayStack } from './gateway-stack.ts';

test('webhooks are the worker’s, and the API key gets there', async () => {
  const worker = await playService();
  const stack = await startGatewayStack({ WORKER_URL: worker.url });
  const answer = await fetch(`${stack.url}/api/v1/webhooks/some/replay`, {
    method: 'POST',
    headers: { 'x-api-key': 'pk_key', 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(answer.status, 200);
  const echoed = (await answer.json()) as { url: string; headers: Record<string, string>; body: string };
  assert.deepEqual([echoed.url, echoed.headers['x-api-key'], echoed.body], ['/api/v1/webhooks/some/replay', 'pk_key', '{}']);
  assert.equal(worker.calls.length, 1);
  assert.ok(answer.headers.get('ratelimit') ?? answer.headers.get('x-ratelimit-limit'), 'counted for the address');
  await stack.stop();
  await worker.stop();
});

test('without a worker there is nothing at this path', async () => {
  const stack = await startGatewayStack();
  assert.equal((await fetch(`${stack.url}/api/v1/webhooks`)).status, 404);
  await stack.stop();
});
