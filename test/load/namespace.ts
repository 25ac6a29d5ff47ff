// A network stack of its own: packet filters and connection tracking of the machine cost time on every packet, also on loopback, and
// differ from machine to machine.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Set in the process that runs inside. */
const INSIDE = 'PARLEY_BENCH_NAMESPACE';
const BRING_UP = 'ip link set lo up';

export const isInside = (env: NodeJS.ProcessEnv): boolean => env[INSIDE] === '1';

/**
 * Runs this program again in a network namespace and returns its exit code; undefined when that is not possible here (no root, no
 * unshare) or has been done.
 */
export async function rerunInside(env: NodeJS.ProcessEnv): Promise<number | undefined> {
  if (isInside(env) || process.getuid?.() !== 0) return undefined;
  if (spawnSync('unshare', ['-n', 'sh', '-c', BRING_UP], { stdio: 'ignore' }).status !== 0) return undefined;
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', ['-n', 'sh', '-c', `${BRING_UP} && exec "$@"`, 'sh', ...program], {
    stdio: 'inherit',
    env: { ...env, [INSIDE]: '1' },
  });
  // The child cleans up, and this process ends with it. Ctrl-C reaches both, and the child takes two for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
