// The server under measurement: the compiled chat service, or the floor, started on the server's core.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import blankTypes from 'ts-blank-space';
import { endWithUs, pinned, prefer } from './pinned.ts';

const root = join(import.meta.dirname, '../..');
const FLOOR_FOLDER = join(import.meta.dirname, 'dist');
const READY_MS = 30_000;

export interface Running {
  port: number;
  adminPort: number;
  /** processes by name; the first one is the one whose memory is read */
  pids: Record<string, number>;
  /** What it wrote last when it has ended by itself. */
  failure(): string | undefined;
  /** End at once; nothing is left to save. */
  kill(): Promise<void>;
  /** Ends in order, so that a profile is written. */
  terminate(): Promise<void>;
}

export interface SubjectOptions {
  core: number | undefined;
  env: Record<string, string>;
  nodeArgs: readonly string[];
}

/** The limits protect a public server from clients that act as the generator does. */
const NO_LIMITS = Object.fromEntries([
  ...['MESSAGE', 'TYPING', 'ROOM_ACTION', 'CONNECT'].flatMap((event) => [
    [`RATE_${event}_BURST`, '1000000'],
    [`RATE_${event}_PER_SECOND`, '1000000'],
  ]),
  ...['MAX_CONNECTIONS', 'MAX_CONNECTIONS_PER_USER', 'MAX_CONNECTIONS_PER_IP'].map((name) => [name, '1000000']),
  // A closed loop keeps more under way than a server refuses by default: it would measure refusals.
  ['MESSAGE_WAIT_MAX_MS', '10000'],
]) as Record<string, string>;

/** As in the image; see the Dockerfile. */
const NODE_OPTIONS = ['--max-semi-space-size=2'];

export function startChat({ core, env, nodeArgs }: SubjectOptions, name = 'chat'): Promise<Running> {
  const args = [...NODE_OPTIONS, ...nodeArgs, join(root, 'services/chat/dist/main.js')];
  return start(name, pinned(core, process.execPath, args), {
    SERVER_HOST: '127.0.0.1',
    ADMIN_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    ADMIN_PORT: '0',
    INSTANCE_NAME: name,
    DRAIN_WINDOW_MS: '100',
    ...NO_LIMITS,
    ...env,
  });
}

export function startFloor({ core, env, nodeArgs }: SubjectOptions): Promise<Running> {
  return start('chat', pinned(core, process.execPath, [...nodeArgs, join(FLOOR_FOLDER, 'floor-server.mjs')]), env);
}

/**
 * Writes the floor as JavaScript: a loader that compiles while it runs would be part of the floor's memory. The folder is inside the
 * repository, so that its packages are found.
 */
export function compileFloor(): void {
  mkdirSync(FLOOR_FOLDER, { recursive: true });
  for (const name of ['floor-server', 'floor-writer']) {
    const text = blankTypes(readFileSync(join(import.meta.dirname, `${name}.ts`), 'utf8'));
    const moved = text
      .replace(/'\.\.\/\.\.\/services\/chat\/src\/(.*)\.ts'/g, "'../../../services/chat/dist/$1.js'")
      .replace(/'\.\/(.*)\.ts'/g, "'./$1.mjs'");
    writeFileSync(join(FLOOR_FOLDER, `${name}.mjs`), moved);
  }
}

async function start(name: string, [command, args]: [string, string[]], env: Record<string, string>): Promise<Running> {
  const child = endWithUs(
    spawn(command, args, { cwd: root, env: { PATH: process.env['PATH'], ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  if (child.pid) prefer(child.pid);
  const exited = once(child, 'exit');
  let output = '';
  const { port, adminPort } = await new Promise<{ port: number; adminPort: number }>((resolve, reject) => {
    const failed = (why: string) => reject(new Error(`the server under measurement ${why}:\n${output.slice(-2000)}`));
    const late = setTimeout(() => failed(`is not ready after ${READY_MS / 1000} s`), READY_MS);
    const collect = (data: Buffer) => {
      output = (output + data.toString()).slice(-20_000);
      const line = output.split('\n').find((each) => each.endsWith('}') && each.includes('"msg":"ready"'));
      if (!line) return;
      clearTimeout(late);
      resolve(JSON.parse(line) as { port: number; adminPort: number });
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => failed(error.message));
    child.once('exit', (code, signal) => failed(`ended (${code ?? signal})`));
  });
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals) => {
    if (gone()) return;
    child.kill(signal);
    await exited;
  };
  const failure = () => (gone() ? `${name} ended by itself:\n${output.slice(-2000)}` : undefined);
  return { port, adminPort, pids: { [name]: child.pid as number }, failure, kill: () => end('SIGKILL'), terminate: () => end('SIGTERM') };
}
