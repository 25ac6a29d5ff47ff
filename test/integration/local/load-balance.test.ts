// test-load-balance.sh against a running `npm start`: what it prints, and how it ends when an instance gets nothing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeRow, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';

const script = resolve(import.meta.dirname, '../../test-load-balance.sh');
const folder = temporaryFolder();
const data = join(folder, 'data');
let parley: LocalStart;

before(async () => {
  parley = startLocal(data, ['--no-kafka', '--chat-replicas', '2', '--ports-from', String(await freeRow(2))]);
  await parley.until('Ctrl-C stops it');
});
after(async () => {
  parley.press('SIGINT');
  await parley.exited;
  removeFolder(folder);
});

/** Without a token of whoever runs the tests. */
function run(args: string[], env: Record<string, string> = {}): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(script, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PARLEY_TOKEN: '', ...env } });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk: Buffer) => (text[name] += chunk.toString('utf8')));
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) => done({ code, ...text }));
  });
}

/** HAProxy's word on chat-2 in both backends of chat. */
async function untilChatTwoIs(state: 'UP' | 'DOWN'): Promise<void> {
  const wanted = ['chat', 'chat_health'].map((proxy) => `haproxy_server_status{proxy="${proxy}",server="chat-2",state="${state}"} 1`);
  const deadline = performance.now() + 60_000;
  for (;;) {
    const metrics = await (await fetch(`${parley.local().urls.stats}/metrics`)).text();
    if (wanted.every((line) => metrics.includes(line))) return;
    assert.ok(performance.now() < deadline, `chat-2 is not ${state} within 60 s`);
    await sleep(50);
  }
}

const share = (text: string, instance: string): number[] =>
  [...text.matchAll(new RegExp(`^ +${instance} +(\\d+) +\\d+ %$`, 'gm'))].map(([, count]) => Number(count));

describe('test-load-balance.sh', { timeout: 240_000 }, () => {
  test('tells the share of every instance and ends with 0', async () => {
    const { code, stdout, stderr } = await run(['--data', data, '--requests', '20', '--sockets', '6']);
    assert.equal(code, 0, stdout + stderr);
    const [one, two] = [share(stdout, 'chat-1'), share(stdout, 'chat-2')];
    assert.deepEqual([(one[0] ?? 0) + (two[0] ?? 0), (one[1] ?? 0) + (two[1] ?? 0)], [20, 6], stdout);
    assert.ok(
      [...one, ...two].every((count) => count > 0),
      stdout,
    );
    assert.match(stdout, /Every instance got a part\.\n$/);
    assert.equal(stderr, '');
  });

  test('knows a foreign entry by --instances and a token of the caller', async () => {
    const { users, urls } = parley.local();
    const args = ['--url', urls.chat.replace('localhost', '127.0.0.1'), '--requests', '10', '--sockets', '4'];
    const PARLEY_TOKEN = users.map(({ token }) => token).join(' ');
    assert.equal((await run([...args, '--instances', '2'], { PARLEY_TOKEN })).code, 0);
    const { code, stderr } = await run([...args, '--instances', '3'], { PARLEY_TOKEN });
    assert.equal(code, 1);
    assert.match(stderr, /HTTP: 2 of 3 instances got a part\nWebSocket: 2 of 3/);
    const without = await run([...args, '--data', data]);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /no token for the WebSockets: set PARLEY_TOKEN/);
  });

  test('names the instance that got nothing and ends with 1', async () => {
    const pid = parley.local().pids['chat-2'] ?? assert.fail();
    process.kill(pid, 'SIGSTOP');
    try {
      await untilChatTwoIs('DOWN');
      const { code, stdout, stderr } = await run(['--data', data, '--requests', '10', '--sockets', '3']);
      assert.equal(code, 1, stdout + stderr);
      assert.deepEqual(
        [share(stdout, 'chat-1'), share(stdout, 'chat-2')],
        [
          [10, 3],
          [0, 0],
        ],
        stdout,
      );
      assert.match(stderr, /HTTP: nothing reached chat-2\s+WebSocket: nothing reached chat-2/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await untilChatTwoIs('UP');
    assert.equal((await run(['--data', data, '--sockets', '0'])).code, 0);
  });

  test('ends with 2 and the next step when it cannot be tested', async () => {
    const cases: [string[], RegExp, Record<string, string>?][] = [
      [['--url', 'http://127.0.0.1:1'], /does not answer as it should: curl: .*\nStart it with npm start/],
      [['--data', data, '--requests', '0', '--sockets', '1'], /WebSocket 1 to ws:.*invalid_token/, { PARLEY_TOKEN: 'wrong' }],
      [['--url', parley.local().urls.stats, '--sockets', '0'], /\/api\/health does not answer as it should: curl: .*401/],
      [['--requests', 'many'], /--requests needs a whole number, not 'many'/],
      [['--requests', '0', '--sockets', '0'], /nothing to do/],
      [['--sockets'], /--sockets needs a value/],
      [['--fast'], /unknown option --fast/],
    ];
    for (const [args, words, env] of cases) {
      const { code, stderr } = await run(args, env);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, words);
    }
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /^usage: test\/test-load-balance\.sh/);
  });
});
