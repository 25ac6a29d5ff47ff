// npm packages of a checkout: an npm ci that was stopped in the middle is noticed and made good. Real npm, on a small checkout of its own.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { endWithUs } from '../../helpers/children.ts';
import { eventually } from '../../helpers/eventually.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';

const { installPackages, packagesState } = (await import(resolve(import.meta.dirname, '../../../kind/tools/install.mjs'))) as {
  installPackages: (
    root: string,
    io: { run: (program: string, args: string[]) => Promise<boolean>; say: (text: string) => void },
  ) => Promise<boolean>;
  packagesState: (root: string) => 'whole' | 'none' | 'old' | 'half';
};

/** The script of a package, run in node_modules/two: waits while there is a file "hold" in the checkout. */
const HOLD = `const { existsSync, writeFileSync } = require('fs');
writeFileSync('../../began', '');
setInterval(() => existsSync('../../hold') || process.exit(0), 20);
`;
const NAMES = ['one', 'two', 'three'];

/** A checkout with three packages out of local archives; the script of one tells that it runs, and can be held. */
function createCheckout(): string {
  const folder = temporaryFolder();
  for (const name of NAMES) {
    mkdirSync(join(folder, 'sources', name), { recursive: true });
    const scripts = name === 'two' ? { postinstall: 'node hold.js' } : {};
    writeFileSync(join(folder, 'sources', name, 'hold.js'), HOLD);
    writeFileSync(join(folder, 'sources', name, 'package.json'), JSON.stringify({ name, version: '1.0.0', scripts }));
  }
  const dependencies = Object.fromEntries(NAMES.map((name) => [name, `file:${name}-1.0.0.tgz`]));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'checkout', version: '1.0.0', dependencies }));
  for (const args of [
    ['pack', '--silent', ...NAMES.map((name) => `./sources/${name}`)],
    ['install', '--package-lock-only', '--offline'],
  ]) {
    const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
  return folder;
}

const model = createCheckout();
after(() => removeFolder(model));

let root: string;
let said: string[];
beforeEach(() => {
  root = temporaryFolder();
  said = [];
  cpSync(model, root, { recursive: true });
});
afterEach(() => removeFolder(root));

const npm = (args: string[]) => endWithUs(spawn('npm', args, { cwd: root, stdio: 'ignore', detached: true }));
const install = () =>
  installPackages(root, {
    run: async (program, args) => {
      const [code] = (await once(endWithUs(spawn(program, args, { cwd: root, stdio: 'ignore' })), 'exit')) as [number | null];
      return code === 0;
    },
    say: (text) => void said.push(text),
  });
const isThere = (name: string) => existsSync(join(root, 'node_modules', name, 'package.json'));

test('what is whole is left alone; a lockfile that is newer brings the packages again', async () => {
  assert.equal(packagesState(root), 'none');
  assert.equal(await install(), true);
  assert.equal(packagesState(root), 'whole');
  said = [];
  assert.equal(await install(), true);
  assert.deepEqual(said, []);
  const later = Date.now() / 1000 + 60;
  utimesSync(join(root, 'package-lock.json'), later, later);
  assert.equal(packagesState(root), 'old');
});

test('npm ci killed while it brings packages: the next one makes them whole', async () => {
  writeFileSync(join(root, 'hold'), '');
  // npm tells what it runs the settings of the repository, by which no script of a package runs.
  const child = npm(['ci', '--no-audit', '--no-fund', '--ignore-scripts=false']);
  const ended = once(child, 'exit');
  await eventually('npm runs the script of a package', () => existsSync(join(root, 'began')));
  process.kill(-(child.pid as number), 'SIGKILL');
  await ended;
  assert.equal(packagesState(root), 'half');
  rmSync(join(root, 'hold'));
  assert.equal(await install(), true);
  assert.match(said[0] ?? '', /not whole/);
  assert.equal(packagesState(root), 'whole');
  assert.deepEqual(NAMES.map(isThere), [true, true, true]);
});

test('npm ci killed while it takes the old packages away, its list is still there: the next one makes them whole', async () => {
  assert.equal(await install(), true);
  const list = readFileSync(join(root, 'node_modules/.package-lock.json'));
  rmSync(join(root, 'node_modules/two'), { recursive: true });
  writeFileSync(join(root, 'node_modules/.package-lock.json'), list);
  assert.equal(packagesState(root), 'half');
  assert.equal(await install(), true);
  assert.equal(packagesState(root), 'whole');
  assert.equal(isThere('two'), true);
});

test('an npm that is stopped by us leaves no list that would pass for whole', async () => {
  assert.equal(await install(), true);
  const later = Date.now() / 1000 + 60;
  utimesSync(join(root, 'package-lock.json'), later, later);
  const stopped = await installPackages(root, { run: async () => false, say: () => {} });
  assert.equal(stopped, false);
  assert.equal(packagesState(root), 'half');
});
