// Each real server as local mode and the other suites use it: speaks when started, keeps data, survives kill -9, ends completely.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { startOf } from '../../../kind/servers/src/processes/identity.ts';
import { freePort, startServers, type ServerName, type Servers } from '../../helpers/servers.ts';

/** How a client of each server writes one value and reads it back. */
const clients: Record<
  ServerName,
  (url: string) => Promise<{ write(): Promise<unknown>; read(): Promise<string>; close(): Promise<unknown> }>
> = {
  async redis(url) {
    const client = new Redis(url, { lazyConnect: true });
    await client.connect();
    return {
      write: () => client.set('k', 'kept'),
      read: async () => (await client.get('k')) ?? '',
      close: async () => client.disconnect(),
    };
  },
  async mysql(url) {
    const client = await mysql.createConnection(url);
    return {
      write: async () => {
        await client.query('CREATE TABLE t (v VARCHAR(20))');
        await client.query("INSERT INTO t VALUES ('kept')");
      },
      read: async () => {
        const [rows] = await client.query<mysql.RowDataPacket[]>('SELECT v FROM t');
        return String(rows[0]?.['v']);
      },
      close: () => client.end(),
    };
  },
  async postgres(url) {
    const client = new pg.Client(url);
    await client.connect();
    return {
      write: () => client.query("CREATE TABLE t AS SELECT 'kept' AS v"),
      read: async () => String((await client.query<{ v: string }>('SELECT v FROM t')).rows[0]?.v),
      close: () => client.end(),
    };
  },
  async kafka(url) {
    const admin = new Kafka({ brokers: [url], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    return {
      write: () => admin.createTopics({ topics: [{ topic: 'kept' }] }),
      read: async () => (await admin.listTopics()).find((topic) => topic === 'kept') ?? '',
      close: () => admin.disconnect(),
    };
  },
};

for (const name of ['redis', 'mysql', 'postgres', 'kafka'] as const) {
  describe(name, { timeout: 120_000 }, () => {
    let servers: Servers<typeof name>;
    before(async () => {
      servers = await startServers([name], { own: true });
    });
    after(() => servers.stop());

    test('answers as soon as it counts as started', async () => {
      const client = await clients[name](servers[name].url);
      await client.write();
      assert.equal(await client.read(), 'kept');
      await client.close();
    });

    test('keeps its data over a stop, and leaves no process', async () => {
      const { pid } = servers[name];
      await servers[name].stop();
      assert.equal(startOf(pid), undefined);
      await servers.start(name);
      const client = await clients[name](servers[name].url);
      assert.equal(await client.read(), 'kept');
      await client.close();
    });

    // Redis syncs once a second and holds nothing durable: what it has after a crash is no promise.
    if (name !== 'redis') {
      test('starts again on its port after kill -9, with its data', async () => {
        const { url } = servers[name];
        servers[name].kill('SIGKILL');
        await servers[name].exited;
        await servers.start(name);
        assert.equal(servers[name].url, url);
        const client = await clients[name](url);
        assert.equal(await client.read(), 'kept');
        await client.close();
      });
    }

    test('nobody else can read its folder', () => {
      assert.equal(statSync(join(servers.dir, name)).mode & 0o077, 0);
    });
  });
}

test('a client without the password is refused', async () => {
  const servers = await startServers(['redis', 'mysql', 'postgres'], { own: true });
  try {
    const without = (url: string) => url.replace(/:[^:@/]+@/, '@');
    await assert.rejects(clients.mysql(without(servers.mysql.url)), /Access denied/);
    await assert.rejects(clients.mysql(without(servers.mysql.url).replace('parley@', 'root@')), /Access denied/);
    await assert.rejects(clients.postgres(without(servers.postgres.url)), /password|SASL/);
    const redis = new Redis(servers.redis.port, '127.0.0.1', { maxRetriesPerRequest: 0 });
    redis.on('error', () => {}); // the same refusal, told twice
    await assert.rejects(redis.get('k'), /NOAUTH/);
    redis.disconnect();
  } finally {
    await servers.stop();
  }
});

test('haproxy answers on the ports it is told, and a wrong configuration says what is wrong', async () => {
  const servers = await startServers([]);
  try {
    const port = await freePort();
    const head = 'defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n';
    const haproxy = await servers.haproxy({
      config: `${head}frontend f\n bind 127.0.0.1:${port}\n http-request return status 204\n`,
      ports: [port],
    });
    assert.equal((await fetch(haproxy.url)).status, 204);
    await assert.rejects(servers.haproxy({ config: `${head}frontend f\n no-such-word\n`, ports: [port] }), /no-such-word/);
  } finally {
    await servers.stop();
  }
});
