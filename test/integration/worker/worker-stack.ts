// Workers with real databases and a real broker, for their suite.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { chatMigrations, connectMysql, createMysqlPool, mysqlMigrations, newId, toBinary } from '@parley/chat-store';
import { createLog, loadConfig } from '@parley/kit/process';
import { createPostgres, migrate } from '@parley/kit/sql';
import { startWorker, workerConfig } from '@parley/worker';
import { Kafka, logLevel, type Consumer } from 'kafkajs';
import type { RowDataPacket } from 'mysql2';
import { startServers, type ServerSettings } from '../../helpers/servers.ts';

export const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });

export interface Heard {
  topic: string;
  key: string;
  value: string;
  headers: Record<string, string>;
}

export async function startWorkerStack(settings: ServerSettings = {}) {
  const servers = await startServers(['mysql', 'postgres', 'redis', 'kafka'], settings);
  const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
  await migrate(mysqlMigrations(connection), chatMigrations(), log);
  await connection.end();
  const mysql = createMysqlPool(servers.mysql.url, { max: 4 });
  const postgres = createPostgres(servers.postgres.url, { log });
  await postgres.query(
    'CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL, event_key text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now())',
  );
  await postgres.query('CREATE TABLE api_keys (prefix text PRIMARY KEY, hash bytea, scopes text[], revoked_at timestamptz)');
  const env = {
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    REDIS_URL: servers.redis.url,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    DATABASE_URL: servers.mysql.url,
    USERS_DATABASE_URL: servers.postgres.url,
    KAFKA_BROKERS: servers.kafka.url,
  };
  const heads = new Map<string, number>();

  return {
    servers,
    mysql,
    postgres,
    worker: (instance: string, changed: Record<string, string> = {}, own = log) =>
      startWorker({ config: loadConfig(workerConfig, { ...env, ...changed }, () => ''), log: own, instance }),
    async apiKey(...scopes: string[]): Promise<string> {
      const key = `pk_${randomBytes(4).toString('hex')}_${randomBytes(32).toString('base64url')}`;
      const hash = createHash('sha256').update(key).digest();
      await postgres.query('INSERT INTO api_keys (prefix, hash, scopes) VALUES ($1, $2, $3)', [key.slice(0, 11), hash, scopes]);
      return key;
    },
    /** An event of chat.rooms, as core writes it. */
    async joined(roomId: string, userId: number): Promise<string> {
      const id = newId();
      const event = {
        specversion: '1.0',
        id,
        source: '/parley/core',
        type: 'chat.member.joined',
        subject: roomId,
        time: new Date().toISOString(),
        datacontenttype: 'application/json',
        data: { room_id: roomId, user_id: userId, seq: 1 },
      };
      await mysql.query("INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ('chat.rooms', ?, ?, UTC_TIMESTAMP(3))", [
        roomId,
        JSON.stringify(event),
      ]);
      return id;
    },
    kafka: () =>
      new Kafka({
        brokers: [servers.kafka.url],
        logLevel: logLevel.NOTHING,
        retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1000 },
      }),
    waiting: async () => {
      const [rows] = await mysql.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM outbox');
      return rows[0]?.['n'] as number;
    },
    /** Appends entries and their outbox row, as the writer does. */
    async append(roomId: string, count: number, content = 'text'): Promise<void> {
      const from = (heads.get(roomId) ?? 0) + 1;
      heads.set(roomId, from + count - 1);
      const rows = Array.from({ length: count }, (_, index) => [
        toBinary(roomId),
        from + index,
        toBinary(newId()),
        'message',
        from + index,
        1,
        'Ann',
        content,
        'text',
        new Date(),
      ]);
      await mysql.query(
        'INSERT INTO messages (room_id, seq, id, kind, message_no, sender_id, sender_name, content, message_type, created_at) VALUES ?',
        [rows],
      );
      const range = { room_id: roomId, from_seq: from, to_seq: from + count - 1 };
      await mysql.query("INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ('chat.messages', ?, ?, UTC_TIMESTAMP(3))", [
        roomId,
        JSON.stringify(range),
      ]);
    },
    async stop() {
      await mysql.end();
      await postgres.end();
      await servers.stop();
    },
  };
}
export type WorkerStack = Awaited<ReturnType<typeof startWorkerStack>>;

/** Hears everything of the topics from their beginning. */
export async function listen(stack: WorkerStack, topics: string[]): Promise<{ heard: Heard[]; stop: () => Promise<void> }> {
  const heard: Heard[] = [];
  const consumer: Consumer = stack.kafka().consumer({ groupId: `test-${newId()}`, sessionTimeout: 10_000, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const headers = Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]));
      heard.push({ topic, key: message.key?.toString() ?? '', value: message.value?.toString() ?? '', headers });
    },
  });
  return { heard, stop: () => consumer.disconnect() };
}

export async function metric(adminPort: number, pattern: RegExp): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const match = pattern.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export interface Call {
  headers: IncomingMessage['headers'];
  body: string;
}

/** An endpoint on this machine that keeps what it gets and answers what it is told. */
export async function startReceiver(answer: (call: Call) => number | undefined = () => 200) {
  const calls: Call[] = [];
  const taken: Call[] = [];
  let respond = answer;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const call = { headers: request.headers, body: Buffer.concat(parts).toString() };
      calls.push(call);
      const status = respond(call);
      if (status === undefined) return;
      if (status < 300) taken.push(call);
      response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    /** Every attempt. */
    calls,
    /** Those that were answered with 2xx. */
    taken,
    answers: (next: typeof answer) => (respond = next),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
