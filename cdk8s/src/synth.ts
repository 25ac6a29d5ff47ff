// Writes charts/: `node cdk8s/dist/synth.js`. Files that are no longer made are removed.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartFiles } from './install/files.ts';

// The same from src/ and from dist/.
const workspace = join(dirname(fileURLToPath(import.meta.url)), '..');
const charts = join(workspace, '..', 'charts');
const { version } = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8')) as { version: string };

const files = chartFiles(version);
if (existsSync(charts))
  for (const entry of readdirSync(charts, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !files.has(relative(charts, path))) rmSync(path);
  }
for (const [path, text] of files) {
  mkdirSync(dirname(join(charts, path)), { recursive: true });
  writeFileSync(join(charts, path), text);
}
