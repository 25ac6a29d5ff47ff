// Compiles all workspaces as one TypeScript program and writes each file into the dist/ folder of its own workspace:
// <workspace>/src/a/b.ts -> <workspace>/dist/a/b.js. One root tsconfig serves editor, check and build (ADR 0001).
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

// Only what runs in production or by `npm start` is written; tests run from their sources.
const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const roots = [...new Set(workspaces.flatMap((workspace) => sourcesIn(join(root, workspace))))];

function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sourcesIn(path);
    return /[\\/]src[\\/].*\.ts$/.test(relative(root, path)) ? [path] : [];
  });
}

/** Tells whether every output is newer than every input, so that a second `npm start` does not compile again. */
function fresh() {
  const inputs = [...roots, join(root, 'tsconfig.json'), join(root, 'package-lock.json'), fileURLToPath(import.meta.url)];
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  return roots.every((file) => (statSync(target(file.replace(/\.ts$/, '.js')), { throwIfNoEntry: false })?.mtimeMs ?? 0) >= newest);
}

function target(file) {
  return file.replace(`${sep}src${sep}`, `${sep}dist${sep}`);
}

/**
 * Written beside and renamed: somebody who runs what is there, or builds at the same time, finds whole files, never half of one.
 */
function replaceFile(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}${UNFINISHED}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}
const UNFINISHED = '.new';
const UNFINISHED_MS = 10 * 60_000;

/** Removes outputs whose source is gone: a stale module must not be importable. What another build is just writing stays. */
function sweep(written) {
  const folders = new Set([...written].map((file) => file.slice(0, file.indexOf(`${sep}dist${sep}`) + 5)));
  const isStale = (path) =>
    !written.has(path) &&
    (!path.endsWith(UNFINISHED) || Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > UNFINISHED_MS);
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (isStale(path)) rmSync(path, { force: true });
    }
  };
  for (const folder of folders) visit(folder);
}

// The compiler itself takes more than a second to load: what is built already does not wait for it.
if (process.argv.includes('--force') || !fresh()) await build();

async function build() {
  const { default: ts } = await import('typescript');
  const report = (diagnostic) => {
    const host = { getCanonicalFileName: (f) => f, getCurrentDirectory: () => root, getNewLine: () => '\n' };
    const format = process.stderr.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
    process.stderr.write(format([diagnostic], host));
  };
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: report },
  );
  if (!config) process.exit(1);
  const started = performance.now();
  if (!existsSync(target(roots[0].replace(/\.ts$/, '.js'))))
    process.stderr.write(`building ${roots.length} files (the first time takes up to a minute)\n`);
  const options = { ...config.options, outDir: root };
  const program = ts.createProgram(roots, options);
  const outputs = new Map();
  const result = program.emit(undefined, (file, text) => outputs.set(target(file), text));
  const problems = [...ts.getPreEmitDiagnostics(program), ...result.diagnostics];
  problems.forEach(report);
  // Nothing is written before: what does not compile must not look built to the next command.
  if (problems.length > 0) process.exit(1);
  for (const [path, text] of outputs) replaceFile(path, text);
  sweep(new Set(outputs.keys()));
  process.stderr.write(`built ${roots.length} files in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
