// npm run reference: writes docs/reference from the sources.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFERENCE_FOLDER, referenceFiles } from './files.ts';
import { root } from './sources.ts';

const folder = join(root, REFERENCE_FOLDER);
mkdirSync(folder, { recursive: true });
const files = await referenceFiles();
for (const [name, text] of files) writeFileSync(join(folder, name), text);
console.log(`${REFERENCE_FOLDER}: ${[...files.keys()].join(', ')}`);
