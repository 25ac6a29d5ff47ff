// Pages that run: one session a page, limits, directives, and nothing left behind. In real shells.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPage } from '../../docs/page.ts';
import { runPage, type BlockResult, type RunOptions } from '../../docs/run-page.ts';
import { Report } from '../../docs/report.ts';
import { temporaryFolder } from '../../helpers/servers.ts';

type Part = [language: string, text: string, ...directives: string[]];

async function run(
  parts: Part[],
  given: Partial<Pick<RunOptions, 'where' | 'limitMs' | 'folder' | 'signal'>> = {},
): Promise<BlockResult[]> {
  const text = parts.map(([language, body, ...directives]) =>
    [...directives.map((each) => `<!-- docs:${each} -->`), `\`\`\`${language}`, body, '```', ''].join('\n'),
  );
  const results: BlockResult[] = [];
  const usual = { where: 'local', limitMs: 20_000, folder: tmpdir(), env: process.env } as const;
  await runPage(readPage('docs/x.md', text.join('\n')), { ...usual, ...given, onResult: (result) => results.push(result) });
  return results;
}

const outcomes = (results: BlockResult[]) => results.map(({ outcome }) => outcome);
const failure = (result: BlockResult | undefined) => {
  assert.equal(result?.outcome, 'failed');
  return result;
};

test('a variable, a function and a folder of one block are there in the next', async () => {
  const results = await run([
    ['sh', 'ROOM=abc\nhello() { echo "hello $1"; }\ncd /'],
    ['text', 'ROOM=not-this'],
    ['sh', 'hello "$ROOM"; pwd', 'expect ^hello abc$'],
    ['sh', 'pwd', 'expect ^/$'],
  ]);
  assert.deepEqual(outcomes(results), ['passed', 'passed', 'passed']);
});

test('a command that fails ends the page: with its line, its output, and what was not run', async () => {
  const results = await run([
    ['sh', 'echo fine\necho bad >&2\nfalse\necho never'],
    ['sh', 'echo never'],
  ]);
  assert.deepEqual(outcomes(results), ['failed', 'skipped']);
  const { line, reason, stdout, stderr } = failure(results[0]);
  // Line 1 is the fence.
  assert.deepEqual([line, reason, stdout, stderr], [4, 'ended with status 1', 'fine\n', 'bad\n']);
});

test('so does one in a pipe, and a variable that nobody set', async () => {
  assert.equal(failure((await run([['sh', 'false | cat']]))[0]).reason, 'ended with status 1');
  assert.match(failure((await run([['sh', 'echo "$NOT_SET_ANYWHERE"']]))[0]).stderr, /NOT_SET_ANYWHERE: unbound variable/);
});

test('stdout that does not match what is expected fails the block, and the page goes on', async () => {
  const results = await run([
    ['sh', 'echo 404', 'expect ^200$'],
    ['sh', 'echo 200', 'expect ^200$'],
  ]);
  assert.deepEqual(outcomes(results), ['failed', 'passed']);
  assert.equal(failure(results[0]).reason, 'stdout does not match /^200$/m');
});

test('text is replaced by the value of a variable, in sh and in js', async () => {
  const results = await run([
    ['sh', `ROOM='a&b "c"'`],
    ['sh', `echo 'room-uuid!'`, 'with room-uuid=$ROOM', 'expect ^a&b "c"!$'],
    ['js', 'console.log(`room-uuid`, typeof WebSocket)', 'with room-uuid=$ROOM', 'expect ^a&b "c" function$'],
    ['sh', 'echo room-uuid', 'with room-uuid=$NOBODY_SET_IT'],
  ]);
  assert.deepEqual(outcomes(results), ['passed', 'passed', 'passed', 'failed']);
  assert.equal(failure(results[3]).reason, 'docs:with: no block of the page sets $NOBODY_SET_IT');
});

test('JavaScript is a module that finds the packages of the repository, and its failure is one', async () => {
  const results = await run(
    [
      ['js', `const { parse } = await import('yaml');\nconsole.log(parse('a: 7').a)`, 'expect ^7$'],
      ['js', 'throw new Error("broken on purpose")'],
    ],
    { folder: process.cwd() },
  );
  assert.deepEqual(outcomes(results), ['passed', 'failed']);
  assert.match(failure(results[1]).stderr, /broken on purpose/);
});

test('a command that does not end is stopped after its seconds, and the session goes on', async () => {
  const results = await run([
    ['sh', 'A=1'],
    ['sh', 'echo "begins $A"; sleep 1000', 'seconds 1', 'expect ^begins 1$'],
    ['sh', 'false; sleep 1000', 'seconds 5'],
    ['sh', 'echo "$A"', 'expect ^1$'],
  ]);
  assert.deepEqual(outcomes(results), ['passed', 'passed', 'failed', 'passed']);
});

test('a block over its limit fails with a word on what to do', async () => {
  const results = await run(
    [
      ['sh', 'sleep 1000'],
      ['sh', 'true'],
    ],
    { limitMs: 300 },
  );
  assert.deepEqual(outcomes(results), ['failed', 'skipped']);
  assert.match(failure(results[0]).reason, /not done after 0.3 s; .*docs:seconds N/);
});

const isRunning = (pid: number): boolean => {
  const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return !state.startsWith('Z');
};

async function assertGone(pid: number): Promise<void> {
  for (const end = Date.now() + 5000; Date.now() < end; await sleep(20)) {
    try {
      if (!isRunning(pid)) return;
    } catch {
      return;
    }
  }
  assert.fail(`process ${pid} still runs`);
}

test('what a block leaves in the background ends with the page, and an interrupted page leaves nothing', async () => {
  const folder = temporaryFolder();
  assert.deepEqual(outcomes(await run([['sh', 'sleep 1000 & echo $! > left.pid']], { folder })), ['passed']);
  await assertGone(Number(readFileSync(join(folder, 'left.pid'), 'utf8')));

  const stop = new AbortController();
  const running = run(
    [
      ['sh', 'echo $$ > shell.pid; sleep 1000'],
      ['sh', 'true'],
    ],
    { folder, signal: stop.signal },
  );
  const pid = () => {
    try {
      return Number(readFileSync(join(folder, 'shell.pid'), 'utf8'));
    } catch {
      return 0;
    }
  };
  for (const end = Date.now() + 10_000; pid() === 0 && Date.now() < end;) await sleep(20);
  stop.abort(new Error('interrupted'));
  await assert.rejects(running, /interrupted/);
  await assertGone(pid());
});

test('blocks for kind run in the run for kind, and only there', async () => {
  const parts: Part[] = [
    ['sh', 'echo local'],
    ['sh', 'echo kind', 'kind'],
    ['sh', 'echo none', 'skip it needs a phone'],
  ];
  const local = await run(parts);
  assert.deepEqual(outcomes(local), ['passed', 'skipped', 'skipped']);
  assert.deepEqual(local.map((each) => (each.outcome === 'skipped' ? each.reason : '')).slice(1), [
    'runs on the kind cluster: npm run docs:test -- --kind',
    'it needs a phone',
  ]);
  assert.deepEqual(
    (await run(parts, { where: 'kind' })).map(({ block, outcome }) => [block.text, outcome]),
    [['echo kind', 'passed']],
  );
});

test('the report shows where, why and the output, and counts', async () => {
  const lines: string[] = [];
  const report = new Report({ print: (line) => lines.push(line), colour: false });
  for (const result of await run([
    ['sh', 'true'],
    ['sh', 'echo seen; exit 3'],
    ['sh', 'true'],
  ]))
    report.add(result);
  report.summary();
  assert.match(
    lines.join('\n'),
    /^ok {4}docs\/x.md:1 {2}sh, [\d.]+ s\nFAIL {2}docs\/x.md:5 {2}ended with status 3\n {7}stdout:\n {7}\| seen\nskip {2}docs\/x.md:9 /,
  );
  assert.equal(lines.at(-1), '\n1 passed, 1 failed, 1 skipped');
});
