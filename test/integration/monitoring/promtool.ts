// promtool, the checker that comes with Prometheus. Missing is a failure, not a skip: `npm test` installs it.
import { spawnSync } from 'node:child_process';
import { findProgram } from '../../../kind/servers/src/processes/programs.ts';

export function prometheusProgram(name: 'prometheus' | 'promtool'): string {
  const path = findProgram(name);
  if (path === undefined)
    throw new Error(`${name} is missing: run \`npm test\` once, or install it: sudo apt-get install --no-install-recommends prometheus`);
  return path;
}

/** Throws with promtool's own words when it does not end well. */
export function promtool(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(prometheusProgram('promtool'), args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`promtool ${args.slice(0, 2).join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}
