// Compiles all workspaces as one TypeScript program and writes each file into the dist/ folder of its own workspace:
// <workspace>/src/a/b.ts -> <workspace>/dist/a/b.js. One root tsconfig serves editor, check and build (ADR 0001).
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const config = ts.getParsedCommandLineOfConfigFile(
  join(root, 'tsconfig.json'),
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: report },
);
if (!config) process.exit(1);

function report(diagnostic) {
  const host = { getCanonicalFileName: (f) => f, getCurrentDirectory: () => root, getNewLine: () => '\n' };
  const format = process.stderr.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
  process.stderr.write(format([diagnostic], host));
}

// Only what runs in production or by `npm start` is written; tests run from their sources.
const roots = config.fileNames.filter((file) => /[\\/]src[\\/]/.test(relative(root, file)));

/** Tells whether every output is newer than every input, so that a second `npm start` does not compile again. */
function fresh() {
  const inputs = [...roots, join(root, 'tsconfig.json'), join(root, 'package-lock.json'), fileURLToPath(import.meta.url)];
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  return roots.every((file) => (statSync(target(file.replace(/\.ts$/, '.js')), { throwIfNoEntry: false })?.mtimeMs ?? 0) >= newest);
}

function target(file) {
  return file.replace(`${sep}src${sep}`, `${sep}dist${sep}`);
}

/** Removes outputs whose source is gone: a stale module must not be importable. */
function sweep(written) {
  const folders = new Set([...written].map((file) => file.slice(0, file.indexOf(`${sep}dist${sep}`) + 5)));
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (!written.has(path)) rmSync(path);
    }
  };
  for (const folder of folders) visit(folder);
}

if (process.argv.includes('--force') || !fresh()) {
  const started = performance.now();
  const options = { ...config.options, outDir: root };
  const program = ts.createProgram(roots, options);
  const written = new Set();
  const result = program.emit(undefined, (file, text) => {
    const path = target(file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    written.add(path);
  });
  const problems = [...ts.getPreEmitDiagnostics(program), ...result.diagnostics];
  problems.forEach(report);
  if (problems.length > 0) process.exit(1);
  sweep(written);
  process.stderr.write(`built ${roots.length} files in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
