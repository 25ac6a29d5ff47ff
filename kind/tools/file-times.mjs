// How long a test file took and what it cost: loaded into every file by the test runner, which names the folder of the notes.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceOf } from './plain-tests.mjs';

const folder = process.env.PARLEY_TEST_TIMES;
const root = fileURLToPath(new URL('../../', import.meta.url));
const file = sourceOf(root, process.argv[1] ?? '');
/** Of times in /proc/<pid>/stat, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

if (folder && file.endsWith('.test.ts') && !process.execArgv.includes('--test')) {
  process.on('exit', () => {
    const note = { file, seconds: performance.now() / 1000, cpuSeconds: cpuSeconds() };
    mkdirSync(folder, { recursive: true });
    // Renamed when it is whole: a file may be killed while it writes.
    const path = join(folder, `${file.replaceAll('/', '.')}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(note));
    renameSync(`${path}.new`, path);
  });
}

/** Of this process and of those it started that have ended. */
function cpuSeconds() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / TICKS_PER_SECOND;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
}
