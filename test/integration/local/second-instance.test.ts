// One more chat instance by hand beside a running npm start, as the older system's "second instance with SERVER_PORT".
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeRow, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { freePort, removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { WsClient } from '../../helpers/ws-client.ts';

const root = resolve(import.meta.dirname, '../../..');
const local = join(root, 'kind/local/dist/main.js');

describe('a second instance', { timeout: 240_000 }, () => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  let parley: LocalStart;
  before(async () => {
    parley = startLocal(data, ['--no-kafka', '--chat-replicas', '1', '--ports-from', String(await freeRow(1))]);
    await parley.until('Ctrl-C stops it');
  });
  after(async () => {
    parley.press('SIGINT');
    await parley.exited;
    removeFolder(folder);
  });

  test('npm run chat takes its port from SERVER_PORT and shares rooms with the others', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const own = `SERVER_PORT=${port} ADMIN_PORT=${adminPort} INSTANCE_NAME=chat-more`;
    const line = `eval "$(node ${local} env chat --data '${data}')"; ${own} exec npm run chat`;
    const child = spawn('bash', ['-euc', line], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    const exited = new Promise<void>((done) => child.once('exit', () => done()));
    try {
      const url = `http://127.0.0.1:${port}`;
      const deadline = performance.now() + 60_000;
      const health = () =>
        fetch(`${url}/api/health`).then(
          (answer) => answer.json() as Promise<{ instance: string }>,
          () => undefined,
        );
      let seen = await health();
      for (; seen === undefined; seen = await health()) {
        assert.ok(performance.now() < deadline && child.exitCode === null, output);
        await sleep(100);
      }
      assert.equal(seen.instance, 'chat-more');

      const { users, roomId, urls } = parley.local();
      const [alice, bob] = users;
      const here = await WsClient.login(`ws://127.0.0.1:${port}/api/ws`, alice?.token ?? '');
      const there = await WsClient.login(`${urls.chat.replace('http', 'ws')}/api/ws`, bob?.token ?? '');
      await here.join(roomId);
      await there.join(roomId);
      assert.equal((await here.say(roomId, 'over two instances', 'second-1')).type, 'ack');
      await there.next((frame) => frame.type === 'message' && frame['content'] === 'over two instances');
      for (const client of [here, there]) client.socket.terminate();
    } finally {
      if (child.exitCode === null) process.kill(-(child.pid as number), 'SIGTERM');
      await exited;
    }
  });

  test('doctor finds the running start well, and a foreign server on a wanted port', () => {
    const { ports, pids } = parley.local();
    const doctor = (...args: string[]) =>
      spawnSync(process.execPath, [local, 'doctor', '--chat-replicas', '1', ...args], { encoding: 'utf8' });
    const own = doctor('--data', data, '--ports-from', String(ports.gateway));
    assert.equal(own.status, 0, own.stdout);
    assert.match(own.stdout, new RegExp(`in use by a running npm start \\(pid ${parley.pids().owner.pid}\\)[\\s\\S]*Nothing is wrong`));
    const other = doctor('--data', join(folder, 'other'), '--ports-from', String(ports.gateway));
    assert.equal(other.status, 1);
    assert.match(
      other.stdout,
      new RegExp(`Port ${ports.redis}: wanted for redis, in use by redis-server \\(pid ${pids['redis']}\\)\\n.*--ports-from \\d+`),
    );
  });

  test('without its variables it lists what is missing and ends with 78; --help explains all of them', () => {
    const env = { PATH: process.env['PATH'] };
    const run = (...args: string[]) => spawnSync('npm', ['run', '--silent', 'chat', ...args], { cwd: root, env, encoding: 'utf8' });
    const { status, stderr } = run();
    assert.equal(status, 78);
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'JWKS_URL']) assert.match(stderr, new RegExp(`${name} is missing: `));
    assert.match(stderr, /--help/);
    const help = run('--', '--help');
    assert.equal(help.status, 0);
    assert.match(help.stdout, /Required:[\s\S]*DATABASE_URL[\s\S]*Optional:[\s\S]*SERVER_PORT/);
  });

  test('env of a service that there is not names those that there are', () => {
    const { status, stderr } = spawnSync(process.execPath, [local, 'env', 'chatt', '--data', data], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /there is no service "chatt"; there are auth, core, gateway, chat, worker/);
    assert.match(
      execFileSync(process.execPath, [local, 'env', 'auth', '--data', data], { encoding: 'utf8' }),
      /^export JWT_PRIVATE_KEYS='/m,
    );
  });
});
