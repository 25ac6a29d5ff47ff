// Kafka's jars: fetched once by Maven into the cache. There is no Debian or npm package of a broker.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canReach, type Account } from './processes/account.ts';
import { findProgram } from './processes/programs.ts';

/** The same broker as the image apache/kafka of the kind path. */
const KAFKA_VERSION = '4.3.1';
const LOG4J_VERSION = '2.25.5';
/** Kafka 4 brokers need Java 17. */
const JAVA_MAJOR = 17;

/** Path of a Java that can run Kafka. */
export function findJava(): string | undefined {
  const java = findProgram('java');
  if (java === undefined) return undefined;
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  return major >= JAVA_MAJOR ? java : undefined;
}

export const kafkaJarsFolder = (cache: string): string => join(cache, `kafka-${KAFKA_VERSION}`, 'libs');
export const hasKafkaJars = (cache: string): boolean => existsSync(kafkaJarsFolder(cache));

/** Fetches the jars unless they are there; throws with Maven's words. The folder appears when it is complete. */
export async function fetchKafkaJars(cache: string, signal?: AbortSignal): Promise<string> {
  const folder = kafkaJarsFolder(cache);
  if (existsSync(folder)) return folder;
  const maven = findProgram('mvn');
  if (maven === undefined) throw new Error('Maven (mvn) is not installed');
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(join(dirname(folder), 'fetch-'));
  try {
    writeFileSync(join(work, 'pom.xml'), POM);
    await run(maven, ['-q', '-B', '-ntp', 'dependency:copy-dependencies', '-DoutputDirectory=libs', '-DincludeScope=runtime'], {
      cwd: work,
      signal,
    });
    if (!existsSync(folder)) renameSync(join(work, 'libs'), folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(command: string, args: string[], { cwd, signal }: { cwd: string; signal: AbortSignal | undefined }): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], ...(signal ? { signal } : {}) });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}:\n${output.slice(-2000)}`))));
  });
}

/**
 * A folder with the jars that the broker's account can read: the cache itself, or links (copies on another file system) below the
 * broker's own folder when the cache lies in a private home.
 */
export function reachableJars(jars: string, own: string, account: Account | undefined): string {
  if (!account || canReach(jars, account)) return jars;
  mkdirSync(own, { recursive: true, mode: 0o755 });
  for (const file of readdirSync(jars)) {
    const target = join(own, file);
    if (existsSync(target)) continue;
    try {
      linkSync(join(jars, file), target);
    } catch {
      copyFileSync(join(jars, file), target);
    }
  }
  return own;
}

const dependency = (group: string, artifact: string, version: string) =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>dev.parley</groupId><artifactId>kafka-dist</artifactId><version>1</version>
<dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', KAFKA_VERSION)}
${dependency('org.apache.kafka', 'kafka-tools', KAFKA_VERSION)}
${dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', LOG4J_VERSION)}
</dependencies></project>
`;
