// What the doctor thinks of the machine: Node, open files, disk, server programs. Facts in, findings out. Pure.
import type { Need } from '../prepare.ts';
import { bad, good, note, type Finding } from './finding.ts';

export interface NodeFacts {
  version: string;
  /** Number of the binary interface that native packages are built for. */
  abi: string;
  /** Those that uWebSockets.js brings a program for; empty: the package is not installed. */
  abis: readonly string[];
}

export function nodeFinding({ version, abi, abis }: NodeFacts): Finding {
  if (abis.length === 0) return bad('Node', `${version}; the package uWebSockets.js is not installed for this platform`, 'npm ci');
  if (abis.includes(abi) && Number(version.split('.')[0]) < 22)
    return note('Node', `${version}, past its end of life; supported are 22 and 24`, 'for instance: nvm install 24');
  if (abis.includes(abi)) return good('Node', version);
  const says = `${version} (ABI ${abi}), but uWebSockets.js brings programs for the ABIs ${abis.join(', ')} only, so chat cannot start`;
  return bad('Node', says, 'Use a Node version with long-term support, for instance: nvm install 24');
}

/** HAProxy takes two files for each of its connections; below this it serves only a few hundred. */
const FILES_WANTED = 4096;

export function openFilesFinding(hardLimit: number): Finding {
  const what = 'Open files';
  if (hardLimit === Number.MAX_SAFE_INTEGER) return good(what, 'no limit');
  const sockets = Math.max(0, Math.floor((hardLimit - 500) / 2));
  if (hardLimit >= FILES_WANTED) return good(what, `${hardLimit} a process: HAProxy takes up to ${Math.min(8000, sockets)} sockets`);
  const says = `the hard limit is ${hardLimit} a process: HAProxy would take ${sockets} sockets`;
  return bad(what, says, 'ulimit -Hn 20000 (as root), or raise "nofile" in /etc/security/limits.conf and log in again');
}

const MEGABYTE = 1024 * 1024;
/** MariaDB's and Kafka's first files, logs, and room for some messages. */
const DISK_NEEDED = 1024 * MEGABYTE;
const DISK_WANTED = 3 * DISK_NEEDED;

export function diskFinding(folder: string, freeBytes: number): Finding {
  const says = `${Math.floor(freeBytes / MEGABYTE)} MB are free at ${folder}`;
  if (freeBytes >= DISK_WANTED) return good('Disk', says);
  const remedy = 'Free some, or keep the data elsewhere: npm start -- --data DIR';
  return freeBytes >= DISK_NEEDED
    ? note('Disk', `${says}; a start takes about 1 GB`, remedy)
    : bad('Disk', `${says}, a start needs about 1024`, remedy);
}

export interface ProgramFacts {
  need: Need;
  /** undefined: it is not there */
  version: string | undefined;
}

/** `remedy` is what to do where something is missing; `installs`: npm start does it by itself. */
export function programFindings(programs: readonly ProgramFacts[], { installs, remedy }: { installs: boolean; remedy: string }): Finding[] {
  return programs.map(({ need: { what }, version }) => {
    if (version !== undefined) return good(what, version);
    return installs ? note(what, 'not there; npm start installs it') : bad(what, 'not there', remedy);
  });
}

export interface KafkaFacts {
  java: boolean;
  maven: boolean;
  jars: boolean;
  /** npm start installs what is missing. */
  installs: boolean;
}

/** Never a problem: without Kafka events wait in the outbox. */
export function kafkaFinding({ java, maven, jars, installs }: KafkaFacts): Finding {
  const without = 'without it npm start runs no Kafka, and events wait in the outbox';
  if (installs && !(java && (maven || jars)))
    return note('Kafka', 'no Java 17 or newer, or no Maven for its jars; npm start installs them');
  if (!java) return note('Kafka', `no Java 17 or newer; ${without}`, 'Debian: apt-get install default-jre-headless maven');
  if (jars) return good('Kafka', 'Java and its jars are there');
  if (maven) return good('Kafka', 'Java is there; npm start fetches the jars with Maven');
  return note('Kafka', `no Maven to fetch its jars with; ${without}`, 'Debian: apt-get install maven');
}

export interface TestFacts {
  /** What npm test calls and is not there. */
  missing: readonly Need[];
  /** kube-apiserver, etcd and the S3 server were built into the cache. */
  built: boolean;
  /** A Go that could build them. */
  go: boolean;
  /** A Python with venv, which can fetch Go. */
  python: boolean;
  installs: boolean;
}

/** Never a problem for npm start. */
export function testFinding({ missing, built, go, python, installs }: TestFacts): Finding {
  const what = 'npm test';
  const names = missing.map((need) => need.what).join(', ');
  const packages = [...new Set(missing.map(({ debianPackage }) => debianPackage))];
  if (!built && !go && !python) packages.push('python3-venv');
  if (packages.length > 0 && !installs) {
    const says = `not there: ${[names, ...(built || go || python ? [] : ['Go, and Python with venv to fetch it'])].filter(Boolean).join(', ')}`;
    return note(what, says, `Debian: apt-get install ${packages.join(' ')}`);
  }
  const parts = [
    ...(missing.length > 0 ? [`installs ${names}`] : []),
    ...(built
      ? []
      : [`builds kube-apiserver, etcd and an S3 server with ${go ? 'the Go that is there' : 'a Go that it fetches from PyPI'} (once)`]),
  ];
  return parts.length > 0 ? note(what, `it ${parts.join(', ')}`) : good(what, 'everything it calls is there');
}
