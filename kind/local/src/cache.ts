// The one cache folder of everything that is fetched or built once.
import { homedir } from 'node:os';
import { join } from 'node:path';

export function cacheFolder(env: Record<string, string | undefined>): string {
  return env['PARLEY_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'parley');
}
