// `npm run doctor`: looks at what npm start needs and at what it left, changes nothing.
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { dataFolder } from '../data-folder.ts';
import type { LocalFile } from '../local-file.ts';
import { choosePorts, listPorts } from '../ports.ts';
import { canInstall, instructions, NEEDS, programOf, TEST_NEEDS } from '../prepare.ts';
import { openFilesLimit } from '#servers/processes/child';
import { PidFile } from '#servers/processes/pid-file';
import { findProgram } from '#servers/processes/programs';
import { findJava, hasKafkaJars } from '#servers/kafka-jars';
import { findFreeRow, lookAtPorts } from '../taken-ports.ts';
import { dataFindings, portFindings, type DataFacts } from './data.ts';
import type { Finding } from './finding.ts';
import {
  diskFinding,
  kafkaFinding,
  nodeFinding,
  openFilesFinding,
  programFindings,
  testFinding,
  type NodeFacts,
  type TestFacts,
} from './machine.ts';

export interface DoctorOptions {
  /** The repository. */
  root: string;
  data: string;
  cache: string;
  chatReplicas: number;
  portsFrom: number | undefined;
}

export async function examine({ root, data, cache, chatReplicas, portsFrom }: DoctorOptions): Promise<Finding[]> {
  const programs = NEEDS.map((need) => ({ need, version: versionOf(programOf(need)) }));
  const missing = programs.filter(({ version }) => version === undefined).map(({ need }) => need);
  const facts = await dataFacts(data);
  const ports = await lookAtPorts(listPorts(choosePorts({ chatReplicas, from: portsFrom }), { kafka: findJava() !== undefined }));
  const started = new Set(facts.children.map(({ pid }) => pid));
  // Each child is the head of a process group: HAProxy listens in a process of its own.
  const own = new Set(ports.flatMap(({ holder }) => holder?.pid ?? []).filter((pid) => started.has(groupOf(pid) ?? pid)));
  const where = existing(data);
  const { bavail, bsize } = statfsSync(where);
  return [
    nodeFinding(nodeFacts(root)),
    ...programFindings(programs, { installs: canInstall(), remedy: instructions(missing) }),
    kafkaFinding({
      java: findJava() !== undefined,
      maven: findProgram('mvn') !== undefined,
      jars: hasKafkaJars(cache),
      installs: canInstall(),
    }),
    testFinding(testFacts(cache)),
    openFilesFinding(openFilesLimit()),
    diskFinding(where, bavail * bsize),
    ...portFindings(ports, own, await findFreeRow(chatReplicas)),
    ...dataFindings(facts),
  ];
}

/** What kind/offline builds for tests; go.sh there looks for Go and Python. */
function testFacts(cache: string): TestFacts {
  const bin = join(cache, 'kind', 'bin');
  const files = existsSync(bin) ? readdirSync(bin) : [];
  const built = ['kube-apiserver', 'kube-controller-manager', 'etcd'].every((name) => files.includes(name));
  return {
    missing: TEST_NEEDS.filter((need) => programOf(need) === undefined),
    built: built && files.some((name) => name.startsWith('versitygw-')),
    go: findProgram('go') !== undefined,
    python: spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0,
    installs: canInstall(),
  };
}

/** uWebSockets.js has one program for each platform and ABI: uws_linux_x64_115.node. */
function nodeFacts(root: string): NodeFacts {
  const { version, platform, arch, versions } = process;
  const folder = join(root, 'node_modules', 'uWebSockets.js');
  const prefix = `uws_${platform}_${arch}_`;
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const abis = files.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length).replace('.node', ''));
  return { version: version.slice(1), abi: versions.modules, abis };
}

/** Linux, /proc/<pid>/stat field 5; undefined elsewhere. */
function groupOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return undefined;
  }
}

/** What the program says about itself, its first line; undefined when there is no such program. */
function versionOf(program: string | undefined): string | undefined {
  if (program === undefined) return undefined;
  const flag = program.endsWith('haproxy') ? '-v' : '--version';
  const { stdout } = spawnSync(program, [flag], { encoding: 'utf8' });
  const version = /\b\d+(\.\d+)+[-\w.]*/.exec(stdout ?? '')?.[0];
  return `${version ?? 'version unknown'} (${program})`;
}

async function dataFacts(root: string): Promise<DataFacts> {
  const folder = dataFolder(root);
  const { owner, children } = PidFile.read(folder.pids);
  const local = owner && existsSync(folder.local) ? (JSON.parse(readFileSync(folder.local, 'utf8')) as LocalFile) : undefined;
  const answers = local ? await answersOf([`${local.urls.chat}/api/health`, `${local.urls.gateway}/.well-known/jwks.json`]) : {};
  return { folder: root, exists: existsSync(root), owner, children, expected: local?.pids, answers };
}

const ANSWER_MS = 3000;

async function answersOf(urls: readonly string[]): Promise<Record<string, string | undefined>> {
  const ask = async (url: string) => {
    try {
      const { status } = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
      return status === 200 ? undefined : `status ${status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return Object.fromEntries(await Promise.all(urls.map(async (url) => [url, await ask(url)] as const)));
}

/** The folder itself, or the nearest above it that is there. */
function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path));
}
