// Child processes as local mode starts them: ended with their parent, found again after a kill -9, stopped in order.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../../kind/servers/src/processes/child.ts';
import { membersOf, startOf } from '../../../kind/servers/src/processes/identity.ts';
import { PidFile, stopLeftovers } from '../../../kind/servers/src/processes/pid-file.ts';
import { runStep } from '../../../kind/servers/src/server.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { eventually } from '../../helpers/eventually.ts';
import { sourceLoader } from '../../helpers/program.ts';

const folder = temporaryFolder();
after(() => removeFolder(folder));
const env = { PATH: '/usr/bin:/bin' };
const spec = (name: string, script: string) => ({
  name,
  command: '/bin/sh',
  args: ['-c', script],
  env,
  cwd: folder,
  logFile: join(folder, `${name}.log`),
});

const gone = (pid: number) => eventually(`process ${pid} is gone`, () => startOf(pid) === undefined);

describe('a child process', () => {
  test('writes into its log, of which the last lines of this start can be read', async () => {
    for (const word of ['first', 'second']) {
      const child = await startChild(spec('words', `echo ${word}; echo ${word} again >&2`));
      assert.equal(await child.exited, 'code 0');
      assert.equal(child.tail(), `${word}\n${word} again`);
      assert.equal(child.tail(1), `${word} again`);
    }
  });

  test('that ignores the polite signal is killed with what it started', async () => {
    const child = await startChild(spec('stubborn', "trap '' TERM; sleep 1000 & echo $!; wait; wait"));
    while (child.tail() === '') await sleep(5);
    const grandchild = Number(child.tail());
    await child.end('SIGTERM', 100);
    assert.equal(await child.exited, 'signal SIGKILL');
    assert.equal(startOf(grandchild), undefined);
  });

  test('that is a step and is aborted has left nothing when that is told: its folder can be removed', async () => {
    const stop = new AbortController();
    const step = { ...spec('script', 'sleep 1000 & echo $!; wait'), account: undefined };
    let pid = 0;
    const started = runStep(step, { dir: folder, signal: stop.signal, onSpawn: (child) => (pid = child.pid) });
    await eventually('the script has started its program', () => membersOf(pid).length === 2);
    stop.abort();
    await assert.rejects(started, { name: 'AbortError' });
    assert.deepEqual(membersOf(pid), []);
  });

  test('that cannot be run says so', async () => {
    await assert.rejects(startChild({ ...spec('missing', ''), command: join(folder, 'no-such-program') }), /cannot run .*no-such-program/);
  });

  test('ends when its parent is killed', { skip: process.platform === 'linux' ? false : 'needs setpriv' }, async () => {
    const script = join(folder, 'parent.ts');
    const source = new URL('../../../kind/servers/src/processes/child.ts', import.meta.url).pathname;
    const options = { ...spec('orphan', 'exec sleep 1000'), deathSignal: 'TERM' };
    writeFileSync(
      script,
      `import { startChild } from '${source}';\nconst child = await startChild(${JSON.stringify(options)});\nconsole.log(child.pid);\n`,
    );
    const parent = spawn(process.execPath, [...sourceLoader, script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    // setpriv asks for the signal first and then becomes what it was told to run: before that there is nothing to see.
    await eventually(`process ${pid} is what it should become`, () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sleep');
    parent.kill('SIGKILL');
    await gone(pid);
  });
});

describe('the pid file', () => {
  test('names what still runs, and leftovers are stopped by it', async () => {
    const path = join(folder, 'pids.json');
    const file = PidFile.take(path);
    const child = await startChild(spec('left', 'exec sleep 1000'));
    file.add('left', child.pid);
    assert.deepEqual(
      PidFile.read(path).children.map(({ pid }) => pid),
      [child.pid],
    );
    assert.equal(PidFile.read(path).owner?.pid, process.pid);
    await stopLeftovers(PidFile.read(path).children);
    assert.equal(await child.exited, 'signal SIGTERM');
    assert.deepEqual(PidFile.read(path).children, []);
    file.release();
  });

  test('also knows what a leftover started before it was killed itself', async () => {
    const path = join(folder, 'orphans.json');
    const file = PidFile.take(path);
    const child = await startChild(spec('script', 'sleep 1000 & wait'));
    file.add('script', child.pid);
    await eventually('the script has started its program', () => membersOf(child.pid).length === 2);
    child.kill('SIGKILL');
    await child.exited;
    assert.deepEqual(
      PidFile.read(path).children.map(({ name }) => name),
      ['script'],
    );
    await stopLeftovers(PidFile.read(path).children);
    assert.deepEqual(membersOf(child.pid), []);
    assert.deepEqual(PidFile.read(path).children, []);
    file.release();
  });

  test('does not take a process with the same number for its own', async () => {
    const path = join(folder, 'others.json');
    const stranger = await startChild(spec('stranger', 'exec sleep 1000'));
    writeFileSync(
      path,
      JSON.stringify({
        owner: { name: 'parley', pid: stranger.pid, start: 'long ago' },
        children: [{ name: 'redis', pid: stranger.pid, start: 'long ago' }],
      }),
    );
    assert.deepEqual(PidFile.read(path), { owner: undefined, children: [] });
    await stopLeftovers([{ name: 'redis', pid: stranger.pid, start: 'long ago' }]);
    assert.equal(stranger.alive(), true);
    await stranger.end('SIGKILL', 1000);
  });

  test('that is not there or broken means that nothing runs', () => {
    assert.deepEqual(PidFile.read(join(folder, 'none.json')), { owner: undefined, children: [] });
    writeFileSync(join(folder, 'broken.json'), '{"owner"');
    assert.deepEqual(PidFile.read(join(folder, 'broken.json')), { owner: undefined, children: [] });
  });
});
