// Builds the two images of the product from the Dockerfile, unless nothing that they are made of has changed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import type { BuiltImage } from './node-images.ts';
import type { OfflineFacts } from './offline-facts.ts';
import { productInputs } from './product-inputs.ts';
import type { Programs } from './programs.ts';

export interface ProductInput {
  root: string;
  engine: Engine;
  offline: boolean;
  version: string;
  rebuild: boolean;
  facts: OfflineFacts;
  programs: Programs;
  onLine: (line: string) => void;
}

/** What the last build used and made. */
interface BuildRecord {
  inputs: string;
  images: BuiltImage[];
}

const TARGETS = ['services', 'operator'] as const;
const BASE = 'docker.io/library/node:24-trixie-slim';

export async function productImages(input: ProductInput): Promise<BuiltImage[]> {
  const { root, engine, offline, version, rebuild, facts, programs, onLine } = input;
  const base = (await programs.run(engine, ['image', 'inspect', '--format', '{{.Id}}', BASE])).stdout.trim();
  const inputs = productInputs(root, `${base} ${version}`);
  const recordFile = join(facts.kindCache, `product-${engine}.json`);
  const names = TARGETS.map((target) => `docker.io/parley/${target}:${version}`);
  if (!rebuild && readRecord(recordFile)?.inputs === inputs) {
    const images = await Promise.all(names.map((name) => imageOf(engine, name, programs)));
    const known = readRecord(recordFile)?.images ?? [];
    if (images.every(({ name, id }) => known.some((image) => image.name === name && image.id === id))) return images;
  }
  for (const [index, target] of TARGETS.entries()) {
    onLine(`building parley/${target}:${version}`);
    const args = ['--target', target, '-t', names[index] ?? '', ...(rebuild ? ['--no-cache'] : []), root];
    if (offline) await programs.must('buildah', ['bud', ...(await offlineOptions(input)), ...args]);
    else await programs.must(engine, ['build', ...args]);
  }
  const images = await Promise.all(names.map((name) => imageOf(engine, name, programs)));
  writeFileSync(recordFile, JSON.stringify({ inputs, images } satisfies BuildRecord));
  return images;
}

function readRecord(file: string): BuildRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BuildRecord;
  } catch {
    return undefined;
  }
}

/** The id is empty when there is no such image. */
export async function imageOf(engine: Engine, name: string, programs: Programs): Promise<BuiltImage> {
  const { stdout } = await programs.run(engine, ['image', 'inspect', '--format', '{{.Id}}', name]);
  const id = stdout.trim();
  return { name, id: id === '' || id.startsWith('sha256:') ? id : `sha256:${id}` };
}

/**
 * Isolation by chroot needs neither a runtime nor cgroups. npm's settings of this machine (which registry, which certificates) are mounted
 * for the time of the build, so nothing of them gets into a layer; so is npm's cache.
 */
async function offlineOptions({ root, facts, programs }: ProductInput): Promise<string[]> {
  const options = ['--isolation', 'chroot', '--network', 'host', '--layers', '-f', join(root, 'Dockerfile')];
  const folder = join(facts.cache, 'npm');
  mkdirSync(join(folder, 'cache'), { recursive: true });
  const setting = async (name: string) => {
    const value = (await programs.must('npm', ['config', 'get', name, '--loglevel', 'silent'])).trim();
    return value === 'null' || value === 'undefined' ? '' : value;
  };
  const authority = (await setting('cafile')) || process.env['NODE_EXTRA_CA_CERTS'] || '';
  const lines = [`registry=${await setting('registry')}`];
  if (authority !== '' && existsSync(authority)) {
    lines.push('cafile=/run/npm-ca.pem');
    options.push('-v', `${authority}:/run/npm-ca.pem:ro`);
  }
  const settings = join(folder, 'npmrc');
  writeFileSync(settings, `${lines.join('\n')}\n`, { mode: 0o600 });
  options.push('-v', `${settings}:/usr/local/etc/npmrc:ro`, '-v', `${join(folder, 'cache')}:/root/.npm:rw`);
  const own = join(homedir(), '.npmrc');
  if (existsSync(own)) options.push('-v', `${own}:/root/.npmrc:ro`);
  return options;
}
