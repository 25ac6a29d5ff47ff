// npm start: ready with everything it promises, safe to interrupt at any moment, data kept, nothing left behind.
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freeRow, running, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { eventually } from '../../helpers/eventually.ts';

const folder = temporaryFolder();
const data = join(folder, 'data');
let args: string[];
before(async () => {
  args = ['--no-kafka', '--chat-replicas', '2', '--ports-from', String(await freeRow(2))];
});
after(() => removeFolder(folder));

/** Everything that was started is gone, and so are the files that say it runs. */
async function assertNothingLeft(pids: ReturnType<LocalStart['pids']>, place = data): Promise<void> {
  await eventually('all processes end', () => running([pids.owner, ...pids.children]).length === 0);
  assert.equal(existsSync(join(place, 'local.json')), false);
  assert.equal(existsSync(join(place, 'pids.json')), false);
}

describe('npm start', { timeout: 240_000 }, () => {
  test('is ready with users, a room and replicas that answer, and Ctrl-C ends all of it', async () => {
    const parley = startLocal(data, args);
    await parley.until('Ctrl-C stops it');
    const local = parley.local();
    assert.equal(statSync(join(data, 'local.json')).mode & 0o777, 0o600);
    assert.equal(statSync(join(data, 'secrets.json')).mode & 0o777, 0o600);
    assert.deepEqual(
      local.users.map(({ name }) => name),
      ['Alice', 'Bob', 'Charlie'],
    );
    assert.deepEqual(Object.keys(local.pids).sort(), [
      'auth',
      'chat-1',
      'chat-2',
      'core',
      'gateway',
      'haproxy',
      'mysql',
      'postgres',
      'redis',
      'worker',
    ]);
    assert.match(parley.output(), /websocat 'ws:\/\/localhost:\d+\/api\/ws\?token=[\w.-]+'/);

    const seen = new Set<string>();
    await eventually('both replicas answer through HAProxy', async () => {
      const health = (await (await fetch(`${local.urls.chat}/api/health`)).json()) as { instance: string };
      return seen.add(health.instance).size === 2;
    });
    const stats = await fetch(local.urls.stats, {
      headers: { authorization: `Basic ${btoa(`${local.stats.user}:${local.stats.password}`)}` },
    });
    assert.match(await stats.text(), /Statistics Report/);
    assert.equal((await fetch(local.urls.stats)).status, 401);

    const pids = parley.pids();
    parley.press('SIGINT');
    // Ended well, or by Ctrl-C, as the signal comes to one of them first. That everything ended before it did is what counts.
    assert.ok([0, 130, 'SIGINT'].includes(await parley.exited), parley.output());
    assert.match(parley.output(), /stopped; nothing is left running/);
    await assertNothingLeft(pids);
  });

  test('a second start keeps users and room, and starts a killed replica again', async () => {
    const parley = startLocal(data, args);
    await parley.until('Ctrl-C stops it');
    const first = parley.local();
    assert.deepEqual(
      first.users.map(({ id }) => id),
      [1, 2, 3],
    );
    const killed = first.pids['chat-2'] ?? 0;
    process.kill(killed, 'SIGKILL');
    await parley.until('chat-2 runs again');
    await eventually('local.json names the new process', () => parley.local().pids['chat-2'] !== killed);
    assert.equal(parley.local().chatInstances[1]?.pid, parley.local().pids['chat-2']);

    const other = startLocal(data, args);
    assert.notEqual(await other.exited, 0);
    assert.match(other.output(), /runs with the data in .* already \(pid \d+\)/);

    const pids = parley.pids();
    parley.press('SIGHUP');
    await parley.exited;
    await assertNothingLeft(pids);
  });

  for (const moment of ['Starting Parley', 'redis ', 'migrate-users ', 'haproxy ']) {
    test(`interrupted after "${moment.trim()}" it leaves nothing`, async () => {
      const parley = startLocal(data, args);
      await parley.until(moment === 'Starting Parley' ? moment : `\n  ${moment}`);
      const pids = parley.pids();
      parley.press('SIGINT');
      assert.notEqual(await parley.exited, 0);
      await assertNothingLeft(pids);
    });
  }

  test('killed with -9 it takes its children along, and the next start works', async () => {
    const parley = startLocal(data, args);
    await parley.until('\n  postgres');
    const pids = parley.pids();
    process.kill(pids.owner.pid, 'SIGKILL');
    await parley.exited;
    await eventually('children end', () => running(pids.children).length === 0);

    const next = startLocal(data, args);
    await next.until('Ctrl-C stops it');
    const nextPids = next.pids();
    next.press('SIGTERM');
    await next.exited;
    await assertNothingLeft(nextPids);
  });

  test('a taken port is named with the process that has it', async () => {
    const first = join(folder, 'first');
    const parley = startLocal(first, args);
    await parley.until('\n  redis');
    const pids = parley.pids();
    const other = startLocal(join(folder, 'second'), args);
    assert.notEqual(await other.exited, 0);
    assert.match(other.output(), /\(redis\) is used by redis-server \(pid \d+\)[\s\S]*--ports-from/);
    parley.press('SIGINT');
    await parley.exited;
    await assertNothingLeft(pids, first);
  });
});
