// Programs of the repository, as the tests start them.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = resolve(import.meta.dirname, '../..');

/** What Node needs to load sources. */
export const sourceLoader = ['--conditions=parley-source', '--import', pathToFileURL(resolve(root, 'kind/tools/sources.mjs')).href];

/**
 * Node's arguments for a program, by the path of its source in the repository. After a build (`npm test`) it is the built one: the thread
 * of the loader costs every process a second of CPU time, and the tests start some hundreds.
 */
export function program(file: string): string[] {
  const built = file.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
  return process.env['PARLEY_TEST_BUILT'] && built !== file.replace(/\.ts$/, '.js')
    ? [resolve(root, built)]
    : [...sourceLoader, resolve(root, file)];
}
