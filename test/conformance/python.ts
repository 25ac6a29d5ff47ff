// A Python environment in the cache with the test suite and the client library that are not made for Node.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';

const run = promisify(execFile);
export const packages = { kosoku: '0.1.0', websockets: '17.4' };
const wanted = Object.entries(packages).map(([name, version]) => `${name}==${version}`);

/** The path of its interpreter. Made at the first call; Python 3.10 or newer is needed. */
export async function preparePython(): Promise<string> {
  const folder = join(cacheFolder(process.env), `conformance-${Object.values(packages).join('-')}`);
  const python = join(folder, 'bin', 'python');
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return python;
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...wanted]);
  await run('touch', [ready]);
  return python;
}

/** Runs a script of this folder; its standard output, one JSON value a line. */
export async function runPython<T>(python: string, script: string, args: readonly string[]): Promise<T[]> {
  const { stdout } = await run(python, [join(import.meta.dirname, script), ...args], { maxBuffer: 256 * 1024 * 1024, timeout: 300_000 });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
