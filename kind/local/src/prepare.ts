// Installs the server programs that are missing, without starting their system services; or says exactly what to install.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findProgram, postgresFolders } from './processes/programs.ts';
import { fetchKafkaJars, findJava, hasKafkaJars } from './servers/kafka-jars.ts';

interface Need {
  what: string;
  debianPackage: string;
  present: () => boolean;
}

const NEEDS: Need[] = [
  { what: 'Redis (redis-server)', debianPackage: 'redis-server', present: () => findProgram('redis-server') !== undefined },
  {
    what: 'MySQL (mysqld) or MariaDB (mariadbd)',
    debianPackage: 'mariadb-server',
    present: () => findProgram('mysqld', 'mariadbd') !== undefined,
  },
  { what: 'PostgreSQL (initdb, postgres)', debianPackage: 'postgresql', present: () => postgresFolders().length > 0 },
  { what: 'HAProxy', debianPackage: 'haproxy', present: () => findProgram('haproxy') !== undefined },
];

/** What only tests need. */
const TEST_NEEDS: Need[] = [
  {
    what: 'Prometheus (prometheus, promtool)',
    debianPackage: 'prometheus',
    present: () => findProgram('prometheus') !== undefined && findProgram('promtool') !== undefined,
  },
];

/** Makes sure that the four servers are installed, and what the tests need. Throws with instructions where this cannot be done. */
export function prepareServers(say: (line: string) => void, { tests = false } = {}): void {
  const missing = () => [...NEEDS, ...(tests ? TEST_NEEDS : [])].filter((need) => !need.present());
  const needs = missing();
  if (needs.length === 0) return;
  const packages = needs.map((need) => need.debianPackage);
  const privileged = findProgram('apt-get') === undefined ? undefined : asRoot();
  if (privileged === undefined) throw new Error(instructions(needs));
  say(`installing ${packages.join(', ')} with apt-get; their system services are not started`);
  const [command, ...args] = [...privileged, '/bin/sh', '-s', '--', ...packages] as [string, ...string[]];
  const { status, stdout, stderr } = spawnSync(command, args, { input: INSTALL, encoding: 'utf8', stdio: 'pipe' });
  if (status !== 0) throw new Error(`apt-get failed:\n${`${stdout}${stderr}`.trimEnd().split('\n').slice(-25).join('\n')}`);
  const still = missing();
  if (still.length > 0) throw new Error(instructions(still));
}

/** How to become root without asking: nothing as root, sudo where it wants no password. */
function asRoot(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  const sudo = findProgram('sudo');
  return sudo !== undefined && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? [sudo, '-n'] : undefined;
}

function instructions(needs: Need[]): string {
  const packages = needs.map((need) => need.debianPackage).join(' ');
  return [
    'These programs are missing and cannot be installed from here (that needs Debian or Ubuntu, and root or sudo without a password):',
    ...needs.map((need) => `  - ${need.what}`),
    existsSync('/etc/debian_version')
      ? `Install them:  sudo apt-get install ${packages}`
      : `Install them with your package manager (Homebrew: brew install redis mariadb postgresql haproxy prometheus).`,
    'They need not run as system services; Parley starts its own. Then run the command again.',
  ].join('\n');
}

/** Fetches Kafka's jars where Java and Maven can be had. Returns why there is no Kafka, or undefined when there is. */
export async function prepareKafka(cache: string, say: (line: string) => void, signal?: AbortSignal): Promise<string | undefined> {
  if (findJava() === undefined) return 'no Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)';
  if (hasKafkaJars(cache)) return undefined;
  if (findProgram('mvn') === undefined) return 'no Maven to fetch the jars with (Debian: apt-get install maven)';
  say('fetching the jars of Kafka with Maven (once)');
  try {
    await fetchKafkaJars(cache, signal);
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
