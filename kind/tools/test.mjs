// Runs Node's test runner over levels of the test ladder (levels.mjs), from sources:
//   node kind/tools/test.mjs                          everything that npm test promises
//   node kind/tools/test.mjs --level unit             one level; may be given several times
//   node kind/tools/test.mjs test/unit/chat           files or folders
//   node kind/tools/test.mjs --mysql [...]            with MySQL 9.7 where MariaDB is what is installed
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, constants, homedir, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CHANGE, ALONE, filesOf, LEVELS, nightlyWithin } from './levels.mjs';
import { makePlain, plainOf } from './plain-tests.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const state = join(root, '.parley');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: 'string', multiple: true },
    name: { type: 'string' },
    within: { type: 'string' },
    seed: { type: 'string' },
    mysql: { type: 'boolean' },
    built: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(`npm test -- [options] [file or folder]...
Runs tests from the sources, on real servers. Without options: ${CHANGE.join(', ')}.

  --level LEVEL    ${Object.keys(LEVELS).join(', ')}; may be given several times
  --within SECONDS of the level nightly only what that time is enough for
  --seed NUMBER    for what is drawn by lot, 1 unless given (npm run nightly takes another one each time)
  --name PATTERN   only tests with such a name
  --mysql          on MySQL 9.7 where MariaDB is what is installed
  --built          not from the sources: tests use the built packages and start the built programs; npm test does so, because it has built them
  FILE or FOLDER   only these, for instance test/unit/chat

How long each file took: node kind/tools/slowest.mjs
`);
  process.exit(0);
}
const unknown = (values.level ?? []).filter((level) => !Object.hasOwn(LEVELS, level));
if (unknown.length > 0) fail(`unknown level ${unknown.join(', ')}; there are ${Object.keys(LEVELS).join(', ')}`);

const levels = values.level ?? (positionals.length > 0 ? Object.keys(LEVELS) : CHANGE);
const wanted = positionals.map((path) => relative(root, resolve(process.env.INIT_CWD ?? root, path)));
const missing = wanted.filter((path) => !existsSync(join(root, path)));
if (missing.length > 0) fail(`no such file or folder: ${missing.join(', ')}`);

const late = values.within === undefined ? [] : nightlyWithin(Number(values.within)).leftOut;
if (levels.includes('nightly') && late.length > 0) process.stdout.write(`left out, they need more time: ${late.join(', ')}\n`);
const chosen = levels
  .map((level) => ({
    level,
    files: filesOf(root, level).filter((file) => isWanted(file) && !(level === 'nightly' && late.includes(file))),
  }))
  .filter(({ files }) => files.length > 0);
const files = [...new Set(chosen.flatMap((each) => each.files))];
// Time for nothing is no failure.
if (files.length === 0 && late.length > 0) process.exit(0);
if (files.length === 0) fail('no test files match');
if (files.some((file) => file.startsWith('test/apiserver/'))) prepareApiServer();
if (files.includes('test/apiserver/helm.test.ts')) prepareHelm();
if (files.includes('test/integration/backup/s3.test.ts')) prepareS3();
if (values.mysql) prepareMysql();
if (values.built) {
  await makePlain(root);
  // Read by test/helpers/program.ts.
  process.env.PARLEY_TEST_BUILT = '1';
}
// Read by test/helpers/seed.ts.
process.env.PARLEY_TEST_SEED = values.seed ?? process.env.PARLEY_TEST_SEED ?? '1';
// Read by file-times.mjs. A whole run begins with an empty folder; a single file adds its own.
process.env.PARLEY_TEST_TIMES ??= join(state, 'test-times');
if (positionals.length === 0) rmSync(process.env.PARLEY_TEST_TIMES, { recursive: true, force: true });
mkdirSync(state, { recursive: true });

const has = (level) => chosen.some((each) => each.level === level);
const loader = values.built ? [] : ['--conditions=parley-source', '--import', new URL('sources.mjs', import.meta.url).href];
const runnable = (file) => (values.built ? plainOf(root, file) : file);
const args = [
  ...loader,
  '--import',
  new URL('file-times.mjs', import.meta.url).href,
  '--test',
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  `--test-reporter=${new URL('results.mjs', import.meta.url).href}`,
  `--test-reporter-destination=${join(state, 'test-results.json')}`,
  `--test-timeout=${Math.max(...chosen.map(({ level }) => LEVELS[level].timeoutMs))}`,
  // A file may start five servers: more files at once than cores would only make them wait for each other. A cluster is one.
  `--test-concurrency=${ALONE.some(has) ? 1 : Math.min(availableParallelism() + 1, 4)}`,
  ...(values.name === undefined ? [] : [`--test-name-pattern=${values.name}`]),
  ...files.map(runnable),
];
const levelTexts = chosen.map((each) => `${each.level} (${each.files.length} files)`);
process.stdout.write(`${levelTexts.join(', ')}; seed ${process.env.PARLEY_TEST_SEED}\n`);
const pool = await startPool();
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', async (code, signal) => {
  await pool?.stop();
  process.exit(code ?? 128 + constants.signals[signal]);
});

/** The servers that files share (test/helpers/pool-main.ts). One file alone starts what it needs. */
async function startPool() {
  if (files.length < 2 || files.every((file) => file.startsWith('test/unit/'))) return undefined;
  const started = spawn(process.execPath, [...loader, runnable('test/helpers/pool-main.ts')], {
    cwd: root,
    // Ctrl-C is for the files, which use it until they have ended; the pool ends with the channel, also when this process is killed.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise((done) => started.once('exit', done));
  const first = new Promise((ready) => started.once('message', ready));
  process.env.PARLEY_TEST_POOL = (await Promise.race([first, ended.then(() => undefined)])) ?? fail('the pool of servers did not start');
  return {
    stop: () => {
      if (started.connected) started.disconnect();
      return ended;
    },
  };
}

function isWanted(file) {
  return wanted.length === 0 || wanted.some((path) => file === path || file.startsWith(`${path}/`));
}

/** The API server level runs real etcd and kube-apiserver programs; they are built once into the cache. */
function prepareApiServer() {
  const cache = process.env.PARLEY_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'parley');
  const script = join(root, 'kind', 'offline', 'build-k8s.sh');
  const present = ['kube-apiserver', 'kube-controller-manager', 'etcd'].every((name) => existsSync(join(cache, 'kind', 'bin', name)));
  if (present || !existsSync(script)) return;
  process.stdout.write('building kube-apiserver and etcd into the cache (once, some minutes)\n');
  const { status } = spawnSync(script, [], { stdio: 'inherit', env: { ...process.env, PARLEY_CACHE: cache } });
  if (status !== 0) fail('kube-apiserver and etcd cannot be built (why is above); the other levels run with --level');
}

/** The tests of the Helm chart run Helm itself. */
function prepareHelm() {
  const { status } = spawnSync(process.execPath, [join(root, 'kind', 'offline', 'helm.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) fail('Helm cannot be fetched; the other levels run with --level');
}

/** Backups are copied to a real S3 server, which is built once into the cache. */
function prepareS3() {
  const { status } = spawnSync(join(root, 'kind', 'offline', 'build-versitygw.sh'), [], { stdio: 'inherit' });
  if (status !== 0) fail('the S3 server of the tests cannot be built (why is above)');
}

/** MySQL out of its image; Debian releases have only MariaDB. Below the temporary folder, because the server's own account must reach it. */
function prepareMysql() {
  const folder = mkdtempSync(join(tmpdir(), 'parley-mysqld-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const { status } = spawnSync(join(root, 'kind', 'offline', 'mysql-program.sh'), [folder], { stdio: 'inherit' });
  if (status !== 0) fail('MySQL cannot be taken out of its image; without --mysql the tests run on what is installed');
  const version = spawnSync(join(folder, 'mysqld'), ['--no-defaults', '--version'], { encoding: 'utf8' }).stdout.trim();
  process.stdout.write(`on MySQL: ${version.replace(/^.*Ver /, '')}\n`);
  process.env.PARLEY_TEST_MYSQLD = join(folder, 'mysqld');
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
