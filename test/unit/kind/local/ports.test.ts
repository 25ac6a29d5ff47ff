// Ports of a local start: the documented ones, or a row of one's own.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { choosePorts, listPorts } from '../../../../kind/local/src/ports.ts';

describe('ports of a local start', () => {
  test('are those of the documentation unless told otherwise', () => {
    const ports = choosePorts({ chatReplicas: 3 });
    const { gateway, auth, core, chat, stats, mysql, postgres, redis, kafka } = ports;
    assert.deepEqual({ gateway, auth, core, chat, stats }, { gateway: 8080, auth: 8081, core: 8082, chat: 8085, stats: 8404 });
    assert.deepEqual({ mysql, postgres, redis, kafka }, { mysql: 3306, postgres: 5432, redis: 6379, kafka: 9092 });
    assert.deepEqual(
      ports.chats.map(({ name, port }) => `${name} ${port}`),
      ['chat-1 8084', 'chat-2 8086', 'chat-3 8087'],
    );
  });

  for (const from of [undefined, 20_000]) {
    test(`never give one port to two listeners, with 16 replicas, from ${from ?? 'the documented ones'}`, () => {
      const all = listPorts(choosePorts({ chatReplicas: 16, from }), { kafka: true }).map(({ port }) => port);
      assert.equal(new Set(all).size, all.length);
      assert.ok(all.every((port) => port > 1023 && port < 65_536));
    });
  }

  test('two copies side by side have no port in common', () => {
    const list = (from?: number) => listPorts(choosePorts({ chatReplicas: 3, from }), { kafka: true }).map(({ port }) => port);
    assert.deepEqual(
      list(20_000).filter((port) => list().includes(port)),
      [],
    );
  });

  test('leave those of Kafka out where it does not run', () => {
    const names = listPorts(choosePorts({ chatReplicas: 1 }), { kafka: false }).map(({ what }) => what);
    assert.equal(
      names.some((what) => what.startsWith('kafka')),
      false,
    );
  });
});
