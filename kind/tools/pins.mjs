// npm run pins: writes down the SHA-256 of every program that the installed uWebSockets.js brings (ADR 0002), and says what changed.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
const target = join(root, 'services', 'chat', 'uws-pins.json');
const folder = join(root, 'node_modules', 'uWebSockets.js');

const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const before = JSON.parse(readFileSync(target, 'utf8'));
const files = readdirSync(folder).filter((file) => file.endsWith('.node'));
const sha256 = Object.fromEntries(files.sort().map((file) => [file, hashOf(join(folder, file))]));
writeFileSync(target, `${JSON.stringify({ package: `${name}@${version}`, sha256 }, null, 2)}\n`);

const changed = [...new Set([...files, ...Object.keys(before.sha256)])].filter((file) => sha256[file] !== before.sha256[file]).sort();
process.stdout.write(
  changed.length === 0
    ? `${before.package} and ${name}@${version} bring the same ${files.length} programs\n`
    : `${before.package} -> ${name}@${version}: ${changed.length} of ${files.length} programs differ:\n${changed.map((file) => `  ${file}\n`).join('')}`,
);

function hashOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
