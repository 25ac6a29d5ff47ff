// The first step of every npm script: installs the npm packages and builds when something is missing or older than its sources,
// then hands over. It uses nothing but Node itself, because on a fresh machine there is nothing else yet.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withCheckoutLock } from './checkout-lock.mjs';
import { commandsOf, helpText, nodeProblem, nodeWarning, overview, wantsHelp } from './commands.mjs';
import { installPackages } from './install.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const [command = '', ...rest] = process.argv.slice(2);

const commands = commandsOf(root, rest);

/** The programs that run now. Signals go to them; this process ends when they have ended. */
const current = new Set();
/** The first signal, as a number; no further program is started after it. */
let interrupted = 0;

async function main() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const problem = nodeProblem(process.versions.node);
  if (problem) return fail(problem);
  if (['--help', '-h', 'help'].includes(command)) return print(overview(commands));
  if (!Object.hasOwn(commands, command)) return fail(overview(commands));
  const chosen = commands[command];
  if (chosen.help && wantsHelp(rest)) return print(helpText(chosen));

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(signal));
  // A closed terminal must not end this process before the program below it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  const warning = nodeWarning(process.versions.node, engines.node);
  if (warning) say(warning);
  const onWait = (pid) => say(`waiting for another command that builds this checkout${Number.isNaN(pid) ? '' : ` (pid ${pid})`}`);
  const ready = await withCheckoutLock(join(root, '.parley', 'build.lock'), { onWait, stopped: () => interrupted !== 0 }, prepare);
  if (!ready) return void (process.exitCode ||= 128 + interrupted);
  for (const step of chosen.programs) {
    const ends = await Promise.all((step.together ?? [step]).map(([program, args]) => run(program, args)));
    if (!ends.every(Boolean)) return;
  }
}

/** npm packages and built files: what is there already and newer than what it is made from stays. */
async function prepare() {
  if (!(await installPackages(root, { run, say }))) return false;
  return run(process.execPath, [join(root, 'kind/tools/build.mjs')]);
}

/**
 * Ctrl-C in a terminal reaches the whole process group, so the program may get the signal twice; the programs here take that for one.
 * Sent with kill, it reaches only this process and has to be passed on.
 */
function forward(signal) {
  interrupted ||= constants.signals[signal];
  for (const child of current) child.kill(signal);
}

/** Resolves to true when the program ended well; otherwise the exit code of this process is set. */
function run(program, args) {
  return new Promise((resolveRun) => {
    const end = (code) => {
      current.delete(child);
      if (code !== 0) process.exitCode = code;
      // A program that stopped cleanly on Ctrl-C ends well, but what comes after it must not begin.
      resolveRun(code === 0 && interrupted === 0);
    };
    let child;
    if (interrupted !== 0) return end(128 + interrupted);
    // The channel tells our own programs when this process was killed: then nobody could stop them any more.
    const stdio = program === process.execPath ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
    child = spawn(program, args, { cwd: root, stdio });
    current.add(child);
    child.once('error', (error) => {
      say(`cannot run ${program}: ${error.message}`);
      end(1);
    });
    child.once('exit', (code, signal) => end(code ?? 128 + constants.signals[signal]));
  });
}

function print(text) {
  process.stdout.write(`${text}\n`);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exitCode = 1;
}

await main();
