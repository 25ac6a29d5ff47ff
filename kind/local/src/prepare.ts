// Installs the server programs that are missing, without starting their system services; or says exactly what to install.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, postgresFolders } from '#servers/processes/programs';
import type { Progress } from './stack/progress.ts';
import { fetchKafkaJars, findJava, hasKafkaJars } from '#servers/kafka-jars';

export interface Need {
  what: string;
  debianPackage: string;
  homebrewPackage: string;
  programs: readonly string[];
}

export const NEEDS: readonly Need[] = [
  { what: 'Redis (redis-server)', debianPackage: 'redis-server', homebrewPackage: 'redis', programs: ['redis-server'] },
  {
    what: 'MySQL (mysqld) or MariaDB (mariadbd)',
    debianPackage: 'mariadb-server',
    homebrewPackage: 'mariadb',
    programs: ['mysqld', 'mariadbd'],
  },
  { what: 'PostgreSQL (initdb, postgres)', debianPackage: 'postgresql', homebrewPackage: 'postgresql', programs: ['postgres'] },
  { what: 'HAProxy', debianPackage: 'haproxy', homebrewPackage: 'haproxy', programs: ['haproxy'] },
];

/** Debian's own, and the names that other packages give it. */
export const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Only tests need one: it is not small. */
const BROWSER: Need = { what: 'Chromium', debianPackage: 'chromium', homebrewPackage: 'chromium', programs: BROWSERS };

/** Path of the program that covers the need; PostgreSQL's are in folders of their own. */
export function programOf({ programs: [first = '', ...others] }: Need): string | undefined {
  if (first === 'java') return findJava();
  if (first !== 'postgres') return findProgram(first, ...others);
  const [folder] = postgresFolders();
  return folder === undefined ? undefined : join(folder, first);
}

const missing = (all: readonly Need[]) => all.filter((need) => programOf(need) === undefined);

/** What Kafka runs on, and what fetches its jars. Nothing of it keeps a start from coming up. */
const JAVA: Need = {
  what: 'Java 17 or newer, for Kafka',
  debianPackage: 'default-jre-headless',
  homebrewPackage: 'openjdk',
  programs: ['java'],
};
const MAVEN: Need = { what: 'Maven, for the jars of Kafka', debianPackage: 'maven', homebrewPackage: 'maven', programs: ['mvn'] };

/** `cache` is where the jars are: without them Maven is needed, too. */
export const kafkaNeeds = (cache: string): Need[] => [JAVA, ...(hasKafkaJars(cache) ? [] : [MAVEN])];

/** What only tests need. */
export const TEST_NEEDS: readonly Need[] = [
  { what: 'Prometheus', debianPackage: 'prometheus', homebrewPackage: 'prometheus', programs: ['prometheus'] },
  { what: 'promtool, which comes with Prometheus', debianPackage: 'prometheus', homebrewPackage: 'prometheus', programs: ['promtool'] },
  { what: 'OpenSSL, for certificates', debianPackage: 'openssl', homebrewPackage: 'openssl', programs: ['openssl'] },
  { what: 'ps', debianPackage: 'procps', homebrewPackage: 'procps', programs: ['ps'] },
  { what: 'shellcheck', debianPackage: 'shellcheck', homebrewPackage: 'shellcheck', programs: ['shellcheck'] },
];

/**
 * Makes sure that the four servers are installed, and what the tests need. Throws with instructions where this cannot be done. With
 * `kafka`, the cache of its jars, what Kafka needs is installed in the same go when there is something to install anyway.
 */
export function prepareServers(
  progress: Progress,
  { tests = false, kafka, signal }: { tests?: boolean; kafka?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const needs = [...NEEDS, ...(tests ? TEST_NEEDS : [])];
  const together = kafka !== undefined && canInstall() && missing(needs).length > 0;
  return preparePrograms([...needs, ...(together ? kafkaNeeds(kafka) : [])], progress, signal);
}

/** Returns why there is no browser for tests, or undefined when there is. */
export async function prepareBrowser(progress: Progress, signal?: AbortSignal): Promise<string | undefined> {
  try {
    await preparePrograms([BROWSER], progress, signal);
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

/** Installs what is missing of these with apt-get. Throws with instructions where this cannot be done. */
export async function preparePrograms(all: readonly Need[], { say, step }: Progress, signal?: AbortSignal): Promise<void> {
  const needs = missing(all);
  if (needs.length === 0) return;
  const packages = needs.map((need) => need.debianPackage);
  const privileged = howToInstall();
  if (privileged === undefined) throw new Error(instructions(needs));
  say(`installing ${packages.join(', ')} with apt-get; their system services are not started`);
  await step('apt-get', () => install([...privileged, '/bin/sh', '-s', '--', ...packages], signal));
  const still = missing(all);
  if (still.length > 0) throw new Error(instructions(still));
}

/** The script ends by itself on SIGTERM and puts back what it changed. */
async function install([command = '', ...args]: string[], signal?: AbortSignal): Promise<void> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const stop = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', stop);
  child.stdin.on('error', () => {}); // it ended before it read everything; the exit code says so
  child.stdin.end(INSTALL);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(`apt-get failed:\n${output.trimEnd().split('\n').slice(-25).join('\n')}`);
}

/** Whether npm start can install what is missing. */
export const canInstall = (): boolean => howToInstall() !== undefined;
const howToInstall = () => (findProgram('apt-get') === undefined ? undefined : asRoot());

/** How to become root without asking: nothing as root, sudo where it wants no password. */
function asRoot(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  const sudo = findProgram('sudo');
  return sudo !== undefined && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? [sudo, '-n'] : undefined;
}

const namesOf = (needs: readonly Need[], by: 'debianPackage' | 'homebrewPackage') => [...new Set(needs.map((need) => need[by]))].join(' ');

export function instructions(needs: readonly Need[], debian = existsSync('/etc/debian_version')): string {
  const packages = namesOf(needs, 'debianPackage');
  return [
    'These programs are missing and cannot be installed from here (that needs Debian or Ubuntu, and root or sudo without a password):',
    ...needs.map((need) => `  - ${need.what}`),
    debian
      ? `Install them:  sudo apt-get install ${packages}`
      : `Install them with your package manager (Homebrew: brew install ${namesOf(needs, 'homebrewPackage')}).`,
    'Servers need not run as system services; Parley starts its own. Then run the command again.',
  ].join('\n');
}

/** Installs Java and Maven where that can be done, and fetches Kafka's jars. Returns why there is no Kafka, or undefined when there is. */
export async function prepareKafka(cache: string, progress: Progress, signal?: AbortSignal): Promise<string | undefined> {
  const needs = missing(kafkaNeeds(cache));
  try {
    if (canInstall()) await preparePrograms(needs, progress, signal);
  } catch (error) {
    signal?.throwIfAborted();
    return `what it needs cannot be installed: ${error instanceof Error ? error.message : String(error)}`;
  }
  const [still] = missing(needs);
  if (still) return `no ${still.what} (Debian: apt-get install ${still.debianPackage})`;
  if (hasKafkaJars(cache)) return undefined;
  const { say, step } = progress;
  say('fetching the jars of Kafka with Maven (once)');
  try {
    await step('maven', () => fetchKafkaJars(cache, signal));
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    return `its jars cannot be fetched: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * policy-rc.d keeps packages from starting services, the PostgreSQL setting keeps it from making a database of its own; both are put
 * back afterwards. Where systemd runs, the new services are disabled too: after a reboot they would take the ports.
 */
const INSTALL = `set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.d/parley.conf
saved=
if [ -e "$policy" ] || [ -L "$policy" ]; then saved="$policy.before-parley"; mv -f "$policy" "$saved"; fi
restore() {
  rm -f "$policy" "$cluster"
  if [ -n "$saved" ]; then mv -f "$saved" "$policy"; fi
}
trap restore EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
printf '#!/bin/sh\\nexit 101\\n' > "$policy"
chmod 755 "$policy"
mkdir -p "\${cluster%/*}"
printf 'create_main_cluster = false\\n' > "$cluster"
apt-get update -q || echo 'apt-get update failed; trying with the lists that are there' >&2
apt-get install -q -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"
if [ -d /run/systemd/system ]; then
  for package in "$@"; do
    for unit in "$package" "\${package%-server}"; do systemctl disable --quiet "$unit" 2>/dev/null || true; done
  done
fi
`;
