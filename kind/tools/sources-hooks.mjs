// A loader around ts-blank-space that keeps what it made, by content: to load the TypeScript compiler costs every process more than a
// second, and the tests start some hundreds.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const versions = ['ts-blank-space', 'typescript'].map(
  (name) => JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version,
);
const folder = join(modules, '.cache', 'parley-sources', versions.join('-'));

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const { source } = await nextLoad(url, { ...context, format: 'module' });
  const text = source.toString();
  const file = join(folder, createHash('sha256').update(text).digest('hex'));
  return { format: 'module', shortCircuit: true, source: `${kept(file) ?? (await keep(file, text))}\n//# sourceURL=${url}` };
}

function kept(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function keep(file, text) {
  const { default: blankTypes } = await import('ts-blank-space');
  const blanked = blankTypes(text);
  try {
    mkdirSync(dirname(file), { recursive: true });
    // Others may read or write the same one.
    writeFileSync(`${file}.${process.pid}`, blanked);
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A folder that cannot be written, in an image for instance: it works all the same.
  }
  return blanked;
}
