// node kind/tools/slowest.mjs [COUNT]: the slowest files of the last run of the tests, by what file-times.mjs noted.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(resolve(dirname(fileURLToPath(import.meta.url)), '../..'), '.parley', 'test-times');
const notes = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
const sum = (key) => notes.reduce((total, note) => total + note[key], 0);
const row = ({ file, seconds, cpuSeconds }) => `${seconds.toFixed(1).padStart(8)} ${cpuSeconds.toFixed(1).padStart(8)}  ${file}`;

console.log('       s    CPU s  file');
for (const note of notes.sort((a, b) => b.seconds - a.seconds).slice(0, Number(process.argv[2] ?? 20))) console.log(row(note));
console.log(row({ file: `all ${notes.length} files`, seconds: sum('seconds'), cpuSeconds: sum('cpuSeconds') }));
