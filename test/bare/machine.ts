// A bare machine: Debian's file system, Node and git, a clean clone of this repository. What is started in it ends with this process.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createPrograms } from './node-programs.ts';
import { copyNetworkFiles, networkVariables } from './machine-settings.ts';
import type { Release } from './options.ts';
import { startOf } from '../../kind/servers/src/processes/identity.ts';
import { endWithUs } from '../helpers/children.ts';
import { root as repository } from '../helpers/source-tree.ts';

/** Some GB, and on a disk: /tmp may be memory. */
const WHERE = '/var/tmp';
const PREFIX = 'parley-bare-';
const CTRL_C = '\u0003';

export interface BareMachine {
  /** Its file system, as this machine sees it. */
  root: string;
  /** The clone, as this machine sees it. */
  checkout: string;
  /** Versions of Node and npm. */
  node: string;
  packages: () => DebianPackages;
  run: (command: string, onOutput?: (text: string) => void) => Terminal;
  /** Ends what still runs there, and removes it. */
  remove: () => Promise<void>;
}

export interface DebianPackages {
  count: number;
  /** As dpkg counts it. */
  megabytes: number;
}

export interface Terminal {
  output: () => string;
  /** Resolves when the output holds the text; rejects when the command ends before. */
  until: (text: string) => Promise<void>;
  pressCtrlC: () => void;
  /** Exit code of the command. */
  exited: Promise<number>;
}

export function createMachine({ release, node }: { release: Release; node: string }): BareMachine {
  sweep();
  const archive = execFileSync(join(import.meta.dirname, 'base.sh'), [release], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const programs = createPrograms(node);
  const root = mkdtempSync(join(WHERE, `${PREFIX}${process.pid}-`));
  const running = new Set<ChildProcess>();
  const remove = async () => {
    for (const child of running) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  try {
    execFileSync('tar', ['-xf', archive.trim(), '-C', root, '--numeric-owner', '--exclude=./dev/*']);
    cpSync(programs.folder, join(root, 'usr/local'), { recursive: true, verbatimSymlinks: true });
    copyNetworkFiles(root);
    execFileSync('chroot', [root, 'update-ca-certificates'], { stdio: 'ignore' });
    const checkout = join(root, 'root/parley');
    mkdirSync(join(root, 'root'), { recursive: true });
    execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${repository}`, checkout]);
    return {
      root,
      checkout,
      node: programs.version,
      packages: () => packagesOf(root),
      run: (command, onOutput) => run({ root, running }, command, onOutput),
      remove,
    };
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

function packagesOf(root: string): DebianPackages {
  const sizes = execFileSync('chroot', [root, 'dpkg-query', '-W', '-f', '${Installed-Size}\n'], { encoding: 'utf8' }).trim().split('\n');
  return { count: sizes.length, megabytes: Math.round(sizes.reduce((sum, size) => sum + Number(size), 0) / 1024) };
}

/** A command in the clone. Killed with this process, whatever that ends by, and everything that it started with it. */
function run(
  { root, running }: { root: string; running: Set<ChildProcess> },
  command: string,
  onOutput: (text: string) => void = () => {},
): Terminal {
  const variables = {
    HOME: '/root',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    TERM: 'dumb',
    COMMAND: command,
    ...networkVariables(process.env),
  };
  const pairs = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const inside = ['unshare', '--mount', '--pid', '--fork', '--kill-child', join(import.meta.dirname, 'enter.sh'), root, ...pairs];
  const child = endWithUs(spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inside], { stdio: ['pipe', 'pipe', 'pipe'] }));
  running.add(child);
  let output = '';
  const waiting = new Set<() => void>();
  const changed = () => waiting.forEach((wake) => wake());
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text.replaceAll('\r', '');
      onOutput(text);
      changed();
    });
  let ended = false;
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      ended = true;
      running.delete(child);
      resolve(code ?? 1);
      changed();
    });
  });
  return {
    output: () => output,
    async until(text) {
      while (!output.includes(text)) {
        if (ended) throw new Error(`it ended before it said "${text}":\n${output.slice(-2000)}`);
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    pressCtrlC: () => void child.stdin.write(CTRL_C),
    exited,
  };
}

/** Removes what killed runs left. Their mounts ended with their processes. */
function sweep(): void {
  if (!existsSync(WHERE)) return;
  for (const name of readdirSync(WHERE).filter((each) => each.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0]);
    if (startOf(pid) === undefined) rmSync(join(WHERE, name), { recursive: true, force: true });
  }
}
