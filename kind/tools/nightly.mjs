// npm run nightly: everything that runs without a cluster, with a seed of its own, and a line about it in docs/reference/nightly.md.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHANGE } from './levels.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const PAGE = join(root, 'docs/reference/nightly.md');
const RESULTS = join(root, '.parley', 'test-results.json');
const HEAD = `# Runs of all tests

\`npm run nightly\` adds a line here: every test that needs no cluster, those that take long too, with a random seed. The same again:
\`npm test -- --level nightly --seed NUMBER\`.

| Date | Commit | Tests | Failed | Minutes | Node | Seed | Files with failures |
|---|---|---|---|---|---|---|---|
`;

const seed = String(Math.floor(Math.random() * 2 ** 31));
const levels = [...CHANGE, 'nightly'].flatMap((level) => ['--level', level]);
rmSync(RESULTS, { force: true });
const child = spawn(process.execPath, [join(root, 'kind/tools/test.mjs'), '--built', ...levels, '--seed', seed, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  // A run that was ended by hand says nothing.
  if (existsSync(RESULTS)) note(JSON.parse(readFileSync(RESULTS, 'utf8')));
  process.exit(code ?? 128 + constants.signals[signal]);
});

function note({ tests, fail, cancelled, duration_ms, failed }) {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim();
  const commit = `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') ? ' and changes' : ''}`;
  const cells = [new Date().toISOString().slice(0, 10), commit, tests, fail + cancelled, Math.round(duration_ms / 60_000)];
  const line = [...cells, process.versions.node, seed, failed.map((file) => `\`${file}\``).join(', ')].join(' | ');
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : HEAD;
  writeFileSync(PAGE, `${page}| ${line} |\n`);
}
