// Ports for servers that are started next.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../../kind/servers/src/processes/probe.ts';

test('no port is given twice, also when nobody listens on the first yet', async () => {
  const ports = await Promise.all(Array.from({ length: 500 }, freePort));
  assert.equal(new Set(ports).size, ports.length);
  // The system gives those from 32768 on to connections.
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_000));
});
