// A fingerprint of everything the product's images are made of: when it is the same as at the last build, there is nothing to build.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the Dockerfile copies, and the Dockerfile itself. */
const INPUTS = [
  'Dockerfile',
  '.dockerignore',
  '.npmrc',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'kind/tools/build.mjs',
  'kind/package.json',
];
const FOLDERS = ['services', 'cdk8s', 'operator'];
const IGNORED = new Set(['node_modules', 'dist']);

/** `base` is the id of the image that they stand on. */
export function productInputs(root: string, base: string): string {
  const hash = createHash('sha256').update(base);
  const files = [...INPUTS, ...FOLDERS.flatMap((folder) => filesBelow(root, folder))];
  for (const file of files) {
    const content = readFileSync(join(root, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

function filesBelow(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).filter(({ name }) => !IGNORED.has(name));
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(root, `${folder}/${entry.name}`) : [`${folder}/${entry.name}`]));
}
