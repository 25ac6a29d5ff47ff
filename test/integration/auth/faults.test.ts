// PostgreSQL goes away and comes back; a process with a wrong configuration; what is found in the log.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { program } from '../../helpers/program.ts';
import { freePort } from '../../helpers/servers.ts';
import { authEnv, newApiKey, newPerson, privateKeys, startAuthStack } from './auth-stack.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freeze } from '../../helpers/freeze.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Starts a program of the repository from its sources; `output` holds everything it wrote. */
function start(file: string, env: Record<string, string>) {
  const child = spawn(process.execPath, program(file), { cwd: root, env: { PATH: process.env['PATH'] ?? '', ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close') as Promise<[number | null]>;
  return { child, ended, output: () => output };
}

let stack: Awaited<ReturnType<typeof startAuthStack>>;
before(async () => {
  stack = await startAuthStack({}, { own: true });
});
after(() => stack.stop());
const readiness = async () => (await fetch(`${stack.adminUrl}/readyz`)).status;

describe('PostgreSQL away', () => {
  test('calls are answered 503, the process lives and is not ready; all is well again when it is back', { timeout: 60_000 }, async () => {
    const person = newPerson();
    assert.equal((await stack.post('register', person)).status, 201);
    stack.servers.postgres.kill('SIGKILL');
    await stack.servers.postgres.exited;
    for (const [path, body] of [
      ['register', newPerson()],
      ['login', { email: person.email, password: person.password }],
      ['refresh', { refresh_token: 'rt_x' }],
    ] as const) {
      const reply = await stack.post(path, body);
      assert.equal(reply.status, 503, path);
      assert.equal(reply.body.code, 'unavailable');
      assert.equal(reply.headers.get('retry-after'), '1');
    }
    await eventually('not ready', async () => (await readiness()) === 503);
    assert.equal((await fetch(`${stack.adminUrl}/healthz`)).status, 200);
    assert.equal((await fetch(`${stack.url}/.well-known/jwks.json`)).status, 200);
    await stack.servers.start('postgres');
    await eventually('ready', async () => (await readiness()) === 200);
    assert.equal((await stack.post('login', { email: person.email, password: person.password })).status, 200);
  });
  test('a frozen server costs a caller seconds, not for ever', { timeout: 60_000 }, async () => {
    // The first process takes connections, one more for each connection answers queries.
    const sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'";
    const pids = [stack.servers.postgres.pid, ...(await stack.postgres.query<{ pid: number }>(sql)).rows.map((row) => row.pid)];
    await freeze(...pids);
    try {
      const reply = await stack.post('refresh', { refresh_token: 'rt_x' });
      assert.equal(reply.status, 503);
      await eventually('not ready', async () => (await readiness()) === 503);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    await eventually('ready', async () => (await readiness()) === 200);
    assert.equal((await stack.post('register', newPerson())).status, 201);
  });
});

describe('the process', () => {
  const main = 'services/auth/src/main.ts';
  test('lists everything that is missing and ends with 78', { timeout: 90_000 }, async () => {
    const { ended, output } = start(main, { ACCESS_TOKEN_SECONDS: 'soon' });
    assert.equal((await ended)[0], 78);
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'JWT_PRIVATE_KEYS', 'BOOTSTRAP_API_KEY', 'ACCESS_TOKEN_SECONDS']) {
      assert.match(output(), new RegExp(`^  ${name} is (missing|wrong)`, 'm'));
    }
  });
  test('names what is wrong with the keys without showing them, and ends with 78', { timeout: 90_000 }, async () => {
    const keys = JSON.parse(privateKeys()) as { keys: { d?: string; x: string }[] };
    const { x } = keys.keys[0] ?? { x: '' };
    delete keys.keys[0]?.d;
    const { ended, output } = start(main, authEnv(stack.servers.postgres.url, stack.apiKey, { JWT_PRIVATE_KEYS: JSON.stringify(keys) }));
    assert.equal((await ended)[0], 78);
    assert.match(output(), /JWT_PRIVATE_KEYS: key 1: d, the private part, is missing/);
    assert.ok(!output().includes(x));
  });
  test('gives up on a database that cannot be reached, and says so', { timeout: 90_000 }, async () => {
    const url = `postgres://parley:hush-hush@127.0.0.1:${await freePort()}/parley`;
    const { ended, output } = start(main, authEnv(url, stack.apiKey, { STARTUP_TIMEOUT_MS: '1500' }));
    assert.equal((await ended)[0], 1);
    assert.match(output(), /cannot start: PostgreSQL is not reachable after 2 s/);
    assert.ok(!output().includes('hush-hush'));
  });
  test(
    'logs no secret at the finest level, ends on SIGTERM with 0, and a new bootstrap key replaces the old',
    { timeout: 60_000 },
    async () => {
      const apiKey = newApiKey();
      const [port, adminPort] = [await freePort(), await freePort()];
      const env = authEnv(stack.servers.postgres.url, apiKey, {
        LOG_LEVEL: 'trace',
        SERVER_PORT: String(port),
        ADMIN_PORT: String(adminPort),
      });
      const { child, ended, output } = start(main, env);
      try {
        const ready = async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined))?.status === 200;
        await eventually('ready', ready);
        const person = { ...newPerson(), password: 'a very secret password' };
        const call = async (path: string, body: unknown, key = apiKey) => {
          const headers = { 'content-type': 'application/json', 'x-api-key': key };
          return fetch(`http://127.0.0.1:${port}/api/v1/auth/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
        };
        const answer = (await (await call('register', person)).json()) as { token: string; refresh_token: string };
        await call('register', person);
        await call('login', { email: person.email, password: `${person.password}!` });
        const second = (await (await call('refresh', { refresh_token: answer.refresh_token })).json()) as { refresh_token: string };
        await call('refresh', { refresh_token: second.refresh_token });
        await call('refresh', { refresh_token: answer.refresh_token });
        await call('login', `{"password":"${person.password}`);
        assert.equal((await call('login', {}, stack.apiKey)).status, 401, 'the former bootstrap key is revoked');
        child.kill('SIGTERM');
        assert.equal((await ended)[0], 0);
        assert.match(output(), /"msg":"refresh token used twice/);
        assert.match(output(), /"path":"\/api\/v1\/auth\/login"/);
        const { keys } = JSON.parse(env['JWT_PRIVATE_KEYS'] ?? '') as { keys: { d: string }[] };
        const secrets = [
          person.password,
          answer.token,
          answer.refresh_token,
          second.refresh_token,
          apiKey,
          apiKey.slice(12),
          stack.apiKey,
          keys[0]?.d ?? '?',
        ];
        for (const secret of secrets) assert.ok(!output().includes(secret), 'a secret is in the log');
      } finally {
        child.kill('SIGKILL');
      }
    },
  );
  test('two migrations at once both succeed, and a third has nothing to do', { timeout: 60_000 }, async () => {
    await stack.postgres.query('CREATE SCHEMA fresh');
    const env = { DATABASE_URL: `${stack.servers.postgres.url}?options=-csearch_path%3Dfresh` };
    const file = 'services/auth/src/migrate-main.ts';
    const runs = [start(file, env), start(file, env)];
    for (const run of runs) assert.equal((await run.ended)[0], 0, run.output());
    const third = start(file, env);
    assert.equal((await third.ended)[0], 0);
    assert.match(third.output(), /"applied":0/);
    const { rows } = await stack.postgres.query(
      "SELECT 1 FROM information_schema.tables WHERE table_schema = 'fresh' AND table_name = 'users'",
    );
    assert.equal(rows.length, 1);
  });
});
