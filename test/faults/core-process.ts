// Core as a process of its own beside the chat replicas, and calls to it as a user: members come and go, messages and pages of history
// go over REST.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createPostgres } from '@parley/kit/sql';
import { quiet, type ChatCluster } from '../helpers/chat-cluster.ts';
import { endWithUs } from '../helpers/children.ts';
import { program } from '../helpers/program.ts';
import { startServers } from '../helpers/servers.ts';

/** Longer than any fault of a run; what is not answered by then has an unknown outcome. */
const CALL_TIMEOUT_MS = 15_000;
const READY_TIMEOUT_MS = 60_000;

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export interface CoreProcess {
  /** Throws when nothing is answered: the outcome is unknown then. */
  call: (userId: number, method: string, path: string, options?: { body?: unknown; idempotencyKey?: string }) => Promise<Answer>;
  stop(): Promise<void>;
}

export async function startCoreProcess({ servers, issuer }: ChatCluster, userIds: readonly number[]): Promise<CoreProcess> {
  const users = await startServers(['postgres']);
  const postgres = createPostgres(users.postgres.url, { log: quiet });
  await postgres.query('CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, disabled_at timestamptz)');
  await postgres.query("INSERT INTO users SELECT n, 'user ' || n, 'u' || n || '@example.org' FROM unnest($1::bigint[]) n", [userIds]);
  await postgres.end();
  const child = endWithUs(
    spawn(process.execPath, program('services/core/src/main.ts'), {
      env: {
        PATH: process.env['PATH'],
        ...{ SERVER_HOST: '127.0.0.1', ADMIN_HOST: '127.0.0.1', SERVER_PORT: '0', ADMIN_PORT: '0', INSTANCE_NAME: 'core-1' },
        ...{ DATABASE_URL: servers.mysql.url, USERS_DATABASE_URL: users.postgres.url, REDIS_URL: servers.redis.url },
        ...{ JWKS_URL: issuer.jwksUrl, RATE_MESSAGE_BURST: '1000000', RATE_MESSAGE_PER_SECOND: '1000000' },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    await users.stop();
  };
  const tokens = new Map<number, string>();
  try {
    const url = `http://127.0.0.1:${await portOf(child)}`;
    return {
      stop,
      call: async (userId, method, path, { body, idempotencyKey } = {}) => {
        const token = tokens.get(userId) ?? (await issuer.token(userId));
        tokens.set(userId, token);
        const headers: Record<string, string> = { authorization: `Bearer ${token}` };
        if (body !== undefined) headers['content-type'] = 'application/json';
        if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
        const init = { method, headers, signal: AbortSignal.timeout(CALL_TIMEOUT_MS) };
        const response = await fetch(url + path, { ...init, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
        const text = await response.text();
        return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function portOf(child: ReturnType<typeof spawn>): Promise<number> {
  let output = '';
  return new Promise((resolve, reject) => {
    const collect = (data: Buffer) => {
      // Once it is ready, its log is only drained.
      if (output === 'ready') return;
      output += data.toString();
      const line = output.split('\n').find((each) => each.includes('"msg":"core is ready"'));
      if (!line) return;
      resolve((JSON.parse(line) as { port: number }).port);
      output = 'ready';
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const fail = () => reject(new Error(`core is not ready in time:\n${output.slice(-2000)}`));
    setTimeout(fail, READY_TIMEOUT_MS).unref();
    child.on('exit', () => reject(new Error(`core ended before it was ready:\n${output.slice(-2000)}`)));
  });
}
