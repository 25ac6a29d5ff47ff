// Writes charts/: `node cdk8s/dist/synth.js`. Files that are no longer made are removed.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartFiles } from './install/files.ts';

// The same from src/ and from dist/.
const workspace = join(dirname(fileURLToPath(import.meta.url)), '..');
const charts = join(workspace, '..', 'charts');
const { version } = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8')) as { version: string };

const files = chartFiles(version);
for (const folder of ['', 'crds', 'samples']) {
  mkdirSync(join(charts, folder), { recursive: true });
  for (const entry of readdirSync(join(charts, folder), { withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.yaml') && !files.has(join(folder, entry.name))) rmSync(join(charts, folder, entry.name));
  }
}
for (const [path, text] of files) writeFileSync(join(charts, path), text);
