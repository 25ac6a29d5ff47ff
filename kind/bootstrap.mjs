// The first step of every npm script: installs the npm packages and builds when something is missing or older than its sources,
// then hands over. It uses nothing but Node itself, because on a fresh machine there is nothing else yet.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [command = '', ...rest] = process.argv.slice(2);

/** command -> the programs to run one after the other. */
const node = (file, ...args) => [process.execPath, ['--enable-source-maps', join(root, file), ...args]];
const local = (file) => join(root, 'node_modules', '.bin', file);
const commands = {
  start: () => [node('kind/local/dist/main.js', 'start', ...rest)],
  clean: () => [node('kind/local/dist/main.js', 'clean', ...rest)],
  test: () => [node('kind/local/dist/main.js', 'prepare'), node('kind/test.mjs', ...rest)],
  check: () => [
    [local('prettier'), ['--check', '--log-level', 'warn', '.']],
    [local('eslint'), ['--max-warnings', '0', '.']],
    [local('tsc'), ['--noEmit']],
    node('kind/test.mjs', '--level', 'check'),
  ],
  kind: () => [node('kind/cluster/dist/main.js', 'up', ...rest)],
  'kind-down': () => [node('kind/cluster/dist/main.js', 'down', ...rest)],
  e2e: () => [node('kind/cluster/dist/main.js', 'up', '--quiet'), node('kind/test.mjs', '--level', 'e2e', ...rest)],
};

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node ${process.versions.node} is too old: Parley needs 20.19 or newer.`);
if (!Object.hasOwn(commands, command)) fail(`usage: node kind/bootstrap.mjs ${Object.keys(commands).join('|')}`);

const lock = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  say('installing npm packages');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
run(...node('kind/build.mjs'));
for (const [program, args] of commands[command]()) run(program, args);

function run(program, args) {
  // Ctrl-C reaches the child through the terminal's process group; this process waits for the child to clean up.
  process.on('SIGINT', () => {});
  const { status, signal, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (error) fail(`cannot run ${program}: ${error.message}`);
  if (signal) process.exit(1);
  if (status !== 0) process.exit(status ?? 1);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
