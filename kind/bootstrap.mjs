// The first step of every npm script: installs the npm packages and builds when something is missing or older than its sources,
// then hands over. It uses nothing but Node itself, because on a fresh machine there is nothing else yet.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { constants } from 'node:os';
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
  test: () => [node('kind/local/dist/main.js', 'prepare', '--for', 'test'), node('kind/test.mjs', ...rest)],
  check: () => [
    [local('prettier'), ['--check', '--log-level', 'warn', '.']],
    [local('eslint'), ['--max-warnings', '0', '.']],
    [local('tsc'), ['--noEmit']],
    node('kind/test.mjs', '--level', 'check'),
  ],
  kind: () => [node('kind/cluster/dist/main.js', 'up', ...rest)],
  'kind-down': () => [node('kind/cluster/dist/main.js', 'down', ...rest)],
  bench: () => [
    node('kind/local/dist/main.js', 'prepare'),
    [process.execPath, ['--conditions=parley-source', '--import', 'ts-blank-space/register', join(root, 'test/load/main.ts'), ...rest]],
  ],
  'bench-operator': () => [
    [
      process.execPath,
      ['--conditions=parley-source', '--import', 'ts-blank-space/register', join(root, 'test/load/operator/main.ts'), ...rest],
    ],
  ],
  schemathesis: () => [
    ...(rest.some((each) => ['--help', '-h'].includes(each)) ? [] : [node('kind/local/dist/main.js', 'prepare')]),
    [
      process.execPath,
      ['--conditions=parley-source', '--import', 'ts-blank-space/register', join(root, 'test/schemathesis/main.ts'), ...rest],
    ],
  ],
  docs: () => [
    [process.execPath, ['--conditions=parley-source', '--import', 'ts-blank-space/register', join(root, 'test/docs/main.ts'), ...rest]],
  ],
  e2e: () => [node('kind/cluster/dist/main.js', 'up', '--quiet'), node('kind/test.mjs', '--level', 'e2e', ...rest)],
  drills: () => [node('kind/cluster/dist/main.js', 'up', '--quiet'), node('kind/test.mjs', '--level', 'drills', ...rest)],
  disruptions: () => [
    node('kind/cluster/dist/main.js', 'up', '--quiet', '--workers', '2'),
    node('kind/test.mjs', '--level', 'disruptions', ...rest),
  ],
};
const usage = `usage: node kind/bootstrap.mjs ${Object.keys(commands).join('|')} [options of the command]`;

/** The program that runs now. Signals go to it; this process ends when it has ended. */
let current;
/** The first signal, as a number; no further program is started after it. */
let interrupted = 0;

async function main() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) return fail(`Node ${process.versions.node} is too old: Parley needs 20.19 or newer.`);
  if (['--help', '-h', 'help'].includes(command)) return say(usage);
  if (!Object.hasOwn(commands, command)) return fail(usage);

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(signal));
  // A closed terminal must not end this process before the program below it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    say('installing npm packages');
    if (!(await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']))) return;
  }
  for (const [program, args] of [node('kind/build.mjs'), ...commands[command]()]) {
    if (!(await run(program, args))) return;
  }
}

/**
 * Ctrl-C in a terminal reaches the whole process group, so the program may get the signal twice; the programs here take that for one.
 * Sent with kill, it reaches only this process and has to be passed on.
 */
function forward(signal) {
  interrupted ||= constants.signals[signal];
  current?.kill(signal);
}

/** Resolves to true when the program ended well; otherwise the exit code of this process is set. */
function run(program, args) {
  return new Promise((resolveRun) => {
    const end = (code) => {
      current = undefined;
      if (code !== 0) process.exitCode = code;
      // A program that stopped cleanly on Ctrl-C ends well, but what comes after it must not begin.
      resolveRun(code === 0 && interrupted === 0);
    };
    if (interrupted !== 0) return end(128 + interrupted);
    // The channel tells our own programs when this process was killed: then nobody could stop them any more.
    const stdio = program === process.execPath ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
    current = spawn(program, args, { cwd: root, stdio });
    current.once('error', (error) => {
      say(`cannot run ${program}: ${error.message}`);
      end(1);
    });
    current.once('exit', (code, signal) => end(code ?? 128 + constants.signals[signal]));
  });
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exitCode = 1;
}

await main();
