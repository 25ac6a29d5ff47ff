// Node and npm as their makers' archive holds them, out of npm packages: this machine's own may need its libraries.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';

/** What comes with each major version. */
const NPM = { 20: '10', 22: '10', 24: '11' } as const;

export interface NodePrograms {
  /** With bin/ and lib/, for /usr/local. */
  folder: string;
  /** "24.21.0, npm 11.6.0" */
  version: string;
}

/** `wanted` as npm takes it: 24 is the newest of these. Fetched once; the folder in the cache may be removed to get a newer one. */
export function createPrograms(wanted: string): NodePrograms {
  const major = Number(wanted.split('.')[0]);
  if (!Object.hasOwn(NPM, major)) throw new Error(`Node ${wanted}: there are ${Object.keys(NPM).join(', ')}`);
  const folder = join(cacheFolder(process.env), 'bare', `node-${wanted}`);
  if (!existsSync(folder)) fetchPrograms(folder, [`node-linux-${process.arch}@${wanted}`, `npm@${NPM[major as keyof typeof NPM]}`]);
  const npm = JSON.parse(readFileSync(join(folder, 'lib/node_modules/npm/package.json'), 'utf8')) as { version: string };
  const node = execFileSync(join(folder, 'bin/node'), ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  return { folder, version: `${node}, npm ${npm.version}` };
}

function fetchPrograms(folder: string, packages: readonly string[]): void {
  mkdirSync(join(folder, '..'), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    const options = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', ['install', ...options, '--prefix', join(work, 'fetched'), ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const fetched = join(work, 'fetched/node_modules');
    const made = join(work, 'made');
    mkdirSync(join(made, 'bin'), { recursive: true });
    mkdirSync(join(made, 'lib/node_modules'), { recursive: true });
    cpSync(join(fetched, `node-linux-${process.arch}`, 'bin/node'), join(made, 'bin/node'));
    renameSync(join(fetched, 'npm'), join(made, 'lib/node_modules/npm'));
    for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(made, 'bin', name));
    renameSync(made, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
