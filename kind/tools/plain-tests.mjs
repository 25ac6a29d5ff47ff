// The tests as plain JavaScript, for a run of many files: test/a/b.test.ts -> .parley/plain/test/a/b.test.js. A loader of sources costs every
// process two seconds of CPU time, most of them for what it only passes through, and a run starts hundreds. A plain file imports what was
// built of the packages (dist/) and believes to stand where its source stands: paths, and stacks of errors, are those of the source.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** TypeScript that belongs to no package: it is what tests are made of. */
const SOURCES = ['test', 'docs/generate'];
/** Statements begin their line (Prettier): programs in texts, which some tests run, are none. */
const SPECIFIER = /(^(?:import|export|\})[^'"\n]*|\bimport\(\s*)(['"])(\.{1,2}\/[^'"\n]+)\.ts\2/gm;
const PLACE = /\bimport\.meta\.(dirname|filename|url)\b/g;

/** Where the plain form of a file of {@link SOURCES} is. */
export const plainOf = (root, file) => join(root, '.parley', 'plain', file.replace(/\.ts$/, '.js'));

/** The source of a file that runs, which may be its plain form: as a path below the root. */
export const sourceOf = (root, path) => {
  const file = relative(root, path);
  return file.startsWith(join('.parley', 'plain', sep)) ? relative(join('.parley', 'plain'), file).replace(/\.js$/, '.ts') : file;
};

/** Makes those that are missing or older than their source, and removes those whose source is gone. The packages must be built. */
export async function makePlain(root) {
  const files = SOURCES.flatMap((folder) => below(root, folder)).filter((file) => file.endsWith('.ts'));
  const tool = modified(fileURLToPath(import.meta.url));
  const due = files.filter((file) => modified(plainOf(root, file)) <= Math.max(modified(join(root, file)), tool));
  const wanted = new Set(files.map((file) => relative(root, plainOf(root, file))));
  for (const file of below(root, '.parley/plain')) if (!wanted.has(file)) rmSync(join(root, file), { force: true });
  if (due.length === 0) return;
  // It brings the compiler with it: only who has something to do waits for that.
  const { default: blankTypes } = await import('ts-blank-space');
  for (const file of due) write(plainOf(root, file), plain(root, file, blankTypes(readFileSync(join(root, file), 'utf8'))));
}

function plain(root, file, text) {
  const source = join(root, file);
  const place = { dirname: dirname(source), filename: source, url: pathToFileURL(source).href };
  const imported = (path) => {
    const target = relative(root, `${join(dirname(source), path)}.ts`);
    const built = target.replace(`${sep}src${sep}`, `${sep}dist${sep}`);
    return pathToFileURL(built === target ? plainOf(root, target) : join(root, built.replace(/\.ts$/, '.js'))).href;
  };
  const body = text
    .replace(SPECIFIER, (_, before, quote, path) => `${before}${quote}${imported(path)}${quote}`)
    .replace(PLACE, (_, name) => JSON.stringify(place[name]));
  return `${body}\n//# sourceURL=${place.url}\n`;
}

/** Written beside and renamed: another run may read it at the same time. */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function below(root, folder) {
  if (!statSync(join(root, folder), { throwIfNoEntry: false })) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? below(root, `${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  );
}
