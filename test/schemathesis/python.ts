// Schemathesis in a Python environment of the cache: made at the first run, used by the later ones.
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';

const run = promisify(execFile);
export const VERSION = '4.32.5';

/** The path of its program. Throws with what to install when there is no Python. */
export async function prepareSchemathesis(env: Record<string, string | undefined>): Promise<string> {
  const folder = join(cacheFolder(env), `schemathesis-${VERSION}`);
  const program = join(folder, 'bin', 'schemathesis');
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return program;
  const isNew = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';
  await run('python3', ['-c', isNew]).catch((error: unknown) => {
    throw new Error('Schemathesis needs Python 3.10 or newer with venv: install python3 and python3-venv', { cause: error });
  });
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]);
  writeFileSync(ready, '');
  return program;
}
