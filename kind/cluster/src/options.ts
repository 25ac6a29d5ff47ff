// What the command line and the environment ask for. Pure.

export type Flavor = 'mysql' | 'mariadb';

export interface UpOptions {
  workers: number;
  /** undefined: what the ChatCluster has already, MySQL for a new one */
  flavor: Flavor | undefined;
  /** build images anew even when nothing that they are made of has changed */
  rebuild: boolean;
  /** undefined: found out by trying to reach a registry */
  offline: boolean | undefined;
  quiet: boolean;
}

export interface UpFlags {
  workers?: string;
  flavor?: string;
  rebuild?: boolean;
  quiet?: boolean;
}

/** One worker carries the whole demo on a laptop. */
export const WORKERS_DEFAULT = 1;
const WORKERS_MAX = 8;

/** A wrong value is an error that names the option and what it takes. */
export function upOptions(flags: UpFlags, env: Record<string, string | undefined>): UpOptions {
  return {
    workers: workersOf(flags.workers, env['PARLEY_KIND_WORKERS']),
    flavor: flavorOf(flags.flavor),
    rebuild: flags.rebuild ?? false,
    offline: offlineOf(env['PARLEY_OFFLINE']),
    quiet: flags.quiet ?? false,
  };
}

function workersOf(flag: string | undefined, variable: string | undefined): number {
  const [name, text] = flag !== undefined ? ['--workers', flag] : ['PARLEY_KIND_WORKERS', variable];
  if (text === undefined || text === '') return WORKERS_DEFAULT;
  const workers = Number(text);
  if (!/^\d+$/.test(text) || workers > WORKERS_MAX)
    throw new Error(`${name} must be a whole number from 0 to ${WORKERS_MAX}, but it is "${text}".`);
  return workers;
}

function flavorOf(flag: string | undefined): Flavor | undefined {
  if (flag === undefined || flag === 'mysql' || flag === 'mariadb') return flag;
  throw new Error(`--flavor must be mysql or mariadb, but it is "${flag}".`);
}

/** `live` is the flavor of the ChatCluster that exists; its files cannot be read by the other server. */
export function chooseFlavor(wanted: Flavor | undefined, live: Flavor | undefined): Flavor {
  if (wanted !== undefined && live !== undefined && wanted !== live)
    throw new Error(
      `The ChatCluster runs on ${live}, which cannot be changed to ${wanted}.\nRun "npm run kind:down" first; its data is lost with it.`,
    );
  return wanted ?? live ?? 'mysql';
}

/** PARLEY_OFFLINE=1 or 0; unset: undefined. */
export function offlineOf(value: string | undefined): boolean | undefined {
  if (value === undefined || value === '') return undefined;
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw new Error(`PARLEY_OFFLINE must be 1 (build everything from package registries) or 0 (pull public images), but it is "${value}".`);
}
