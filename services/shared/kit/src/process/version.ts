// The version of this build. All packages of the repository have one version; this is its only home in a running process.
import { readFileSync } from 'node:fs';

/** For instance "0.1.0", from the package.json beside the code. */
export const VERSION = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
