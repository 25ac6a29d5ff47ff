// The npm packages of a checkout: whether all of them are there, and what brings them. Nothing but Node, as bootstrap.mjs.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What is known of node_modules: `whole`, `none`, `old` (older than the lockfile), or `half`: an npm that was killed left it, while it
 * brought packages or while it took the old ones away. Then npm's own list is missing, or names packages that are not there.
 */
export function packagesState(root) {
  const modules = join(root, 'node_modules');
  const list = join(modules, '.package-lock.json');
  if (!existsSync(modules)) return 'none';
  let packages;
  try {
    ({ packages } = JSON.parse(readFileSync(list, 'utf8')));
  } catch {
    return 'half';
  }
  const isThere = ([path, { link, optional }]) => link || optional || existsSync(join(root, path, 'package.json'));
  if (!Object.entries(packages).every(isThere)) return 'half';
  return statSync(list).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs ? 'old' : 'whole';
}

/** Brings the packages where they are not whole. `run` runs a program and tells whether it ended well; so does this. */
export async function installPackages(root, { run, say }) {
  const state = packagesState(root);
  if (state === 'whole') return true;
  const started = performance.now();
  if (state === 'half') {
    say('the npm packages are not whole (an npm that was stopped left them so): they are installed anew');
    // npm trips over some of the states that it leaves itself.
    rmSync(join(root, 'node_modules'), { recursive: true, force: true, maxRetries: 3 });
  } else {
    say('installing npm packages (the first time takes a minute or more)');
    // npm writes its list last: whoever stops it must not leave an old one, which would pass for whole.
    rmSync(join(root, 'node_modules', '.package-lock.json'), { force: true });
  }
  if (!(await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']))) return false;
  say(`installed npm packages in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return true;
}
