// Builds the images of the product, and without a registry the stand-ins of the public ones.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { images as publicImages } from '@parley/cdk8s';
import type { Engine } from './engine.ts';
import { fullName, type BuiltImage } from './node-images.ts';
import type { OfflineFacts } from './offline-facts.ts';
import type { Flavor } from './options.ts';
import type { Programs } from './programs.ts';

export interface BuildInput {
  root: string;
  engine: Engine;
  offline: boolean;
  version: string;
  flavors: readonly Flavor[];
  rebuild: boolean;
  facts: OfflineFacts;
  programs: Programs;
  onLine: (line: string) => void;
}

const TARGETS = ['services', 'operator'] as const;
const productName = (target: string, version: string) => `docker.io/parley/${target}:${version}`;

/** The stand-ins that a cluster with these flavors needs: the names of recipes in kind/offline/images, which are the keys of the table. */
export function standIns(flavors: readonly Flavor[]): (keyof typeof publicImages)[] {
  const all = Object.keys(publicImages) as (keyof typeof publicImages)[];
  return all.filter((name) => (name !== 'mysql' && name !== 'mariadb') || flavors.includes(name));
}

/** Returns the images that the nodes must be given: they cannot pull them. */
export async function buildImages(input: BuildInput): Promise<BuiltImage[]> {
  const { root, engine, offline, version, flavors, rebuild, programs, onLine } = input;
  if (offline) {
    const env = rebuild ? { PARLEY_REBUILD: '1' } : {};
    const names = standIns(flavors);
    await programs.must(join(root, 'kind/offline/images/build.sh'), ['node', ...names], { env, onLine });
  }
  for (const target of TARGETS) {
    const args = ['--target', target, '-t', productName(target, version), ...(rebuild ? ['--no-cache'] : []), root];
    if (offline) await programs.must('buildah', ['bud', ...(await offlineBuildOptions(input)), ...args]);
    else await programs.must(engine, ['build', ...args]);
  }
  const names = [
    ...TARGETS.map((target) => productName(target, version)),
    ...(offline ? standIns(flavors).map((name) => fullName(publicImages[name])) : []),
  ];
  return Promise.all(names.map(async (name) => ({ name, id: await idOf(engine, name, programs) })));
}

async function idOf(engine: Engine, name: string, programs: Programs): Promise<string> {
  const id = (await programs.must(engine, ['image', 'inspect', '--format', '{{.Id}}', name])).trim();
  return id.startsWith('sha256:') ? id : `sha256:${id}`;
}

/**
 * Isolation by chroot needs neither a runtime nor cgroups. npm's settings of this machine (which registry, which certificates) are mounted
 * for the time of the build, so nothing of them gets into a layer; so is npm's cache.
 */
async function offlineBuildOptions({ root, facts, programs }: BuildInput): Promise<string[]> {
  const options = ['--isolation', 'chroot', '--network', 'host', '--layers'];
  const mounts = join(facts.cache, 'npm');
  mkdirSync(join(mounts, 'cache'), { recursive: true });
  const setting = async (name: string) => {
    const value = (await programs.must('npm', ['config', 'get', name], { env: { npm_config_loglevel: 'silent' } })).trim();
    return value === 'null' || value === 'undefined' ? '' : value;
  };
  const authority = (await setting('cafile')) || process.env['NODE_EXTRA_CA_CERTS'] || '';
  const lines = [`registry=${await setting('registry')}`];
  if (authority !== '' && existsSync(authority)) {
    lines.push('cafile=/run/npm-ca.pem');
    options.push('-v', `${authority}:/run/npm-ca.pem:ro`);
  }
  const global = join(mounts, 'npmrc');
  rmSync(global, { force: true });
  writeFileSync(global, `${lines.join('\n')}\n`, { mode: 0o600 });
  options.push('-v', `${global}:/usr/local/etc/npmrc:ro`, '-v', `${join(mounts, 'cache')}:/root/.npm:rw`);
  const own = join(homedir(), '.npmrc');
  if (existsSync(own)) options.push('-v', `${own}:/root/.npmrc:ro`);
  return [...options, '-f', join(root, 'Dockerfile')];
}
