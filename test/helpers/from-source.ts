// Programs of the repository, run from their sources.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = resolve(import.meta.dirname, '../..');

/** What Node needs to load sources. */
export const sourceLoader = ['--conditions=parley-source', '--import', pathToFileURL(resolve(root, 'kind/sources.mjs')).href];

/** Node's arguments for a program, by its path in the repository. */
export const fromSource = (file: string): string[] => [...sourceLoader, resolve(root, file)];
