// npm run golden: writes the pod templates of the present version, on purpose. Those of a version that is out stay as they are.
import { writeFileSync } from 'node:fs';
import { VERSION } from '../rendered.ts';
import { RELEASED } from './allowed.ts';
import { differences, goldenFile, readGolden, renderGolden, textOf } from './templates.ts';

const before = readGolden(VERSION);
const after = renderGolden(VERSION);
if (before && RELEASED.includes(VERSION)) {
  process.stderr.write(`${VERSION} is out: its pod templates are not written again. Raise the version, or see golden/allowed.ts\n`);
  process.exitCode = 1;
} else {
  writeFileSync(goldenFile(VERSION), textOf(after));
  const changed = differences(before ?? [], after);
  process.stdout.write(changed.map((line) => `${line.slice(0, 300)}\n`).join(''));
  process.stdout.write(`${goldenFile(VERSION)}: ${after.length} templates, ${changed.length} differences\n`);
}
