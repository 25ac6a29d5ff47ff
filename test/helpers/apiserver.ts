// A real API server for a suite: etcd and kube-apiserver as child processes in a folder of their own, on free ports, removed at the end.
// No controllers run: a StatefulSet is stored, no pod is made, and owner references delete nothing.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';
import { kubeClient } from '../../operator/src/kube/client.ts';
import type { KubeTransport } from '../../operator/src/kube/transport.ts';
import { endWithUs } from './children.ts';
import { hasPool, lease } from './pool.ts';
import { root } from './program.ts';
import { auditEvents, type AuditEvent } from './rights.ts';
import { freePort, removeFolder, temporaryFolder } from './servers.ts';

const READY_WITHIN_MS = 90_000;
const OPERATOR = 'system:serviceaccount:parley-system:parley-operator';
/** Who may log in: an administrator, and the operators of both installs with no more than their roles give them. */
const TOKENS = { admin: 'admin-token', operator: 'operator-token', namespaced: 'namespaced-token' } as const;
const USERS = [
  `${TOKENS.admin},admin,1,"system:masters"`,
  `${TOKENS.operator},${OPERATOR},2,"system:serviceaccounts,system:authenticated"`,
  `${TOKENS.namespaced},system:serviceaccount:parley:parley-operator,3,"system:serviceaccounts,system:authenticated"`,
].join('\n');

export interface ApiServer {
  /** A transport that logs in as the administrator or as an operator's service account. */
  transport(as?: keyof typeof TOKENS): KubeTransport;
  kubeConfig(as?: keyof typeof TOKENS): KubeConfig;
  /** Of the administrator. */
  kubeconfigFile: string;
  /** What it shows its clients, for a test that stands in its place. */
  certificate(): { cert: string; key: string };
  /** Runs kubectl as the administrator; rejects with what it wrote to stderr. */
  kubectl(args: string[], input?: string): Promise<string>;
  /** What was noted of the operator's calls, with {@link ApiServerOptions.audit}. */
  audited(): AuditEvent[];
  /** Ends the API server without notice and starts it again with the same data; of one's own only. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** One that this process has started. */
export interface RunningApiServer extends ApiServer {
  dir: string;
  port: number;
  etcdUrl: string;
}

export interface ApiServerOptions {
  /** note each call of the operator and how it was answered; such a one is one's own */
  audit?: boolean;
  /** not one of the pool: for files that end it, or let others than the operator work on it */
  own?: boolean;
  /** a file of charts/ that is applied, the CRDs of which are served then */
  install?: string;
}

/** What most files want: the operator for all namespaces. */
export const INSTALL = 'install.yaml';
const AUDIT_POLICY = fileURLToPath(new URL('../../kind/cluster/audit-policy.yaml', import.meta.url));

const bin = join(cacheFolder(process.env), 'kind', 'bin');
export const program = (name: string): string => {
  const path = join(bin, name);
  // A failure, not a skip: these tests are part of what `npm test` promises.
  if (!existsSync(path)) throw new Error(`${path} is missing: build it with \`kind/offline/build-k8s.sh\` (about ten minutes, once)`);
  return path;
};

/** Of the pool when there is one: as it was when it started, and this file's alone. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { install } = options;
  if (!hasPool || options.own || options.audit || (install !== undefined && install !== INSTALL)) return startOwnApiServer(options);
  const { value, end: giveBack } = await lease(install === undefined ? 'apiserver' : 'installed');
  const dir = temporaryFolder();
  const ofAnother = (what: string) => () => {
    throw new Error(`the API server is the pool's: ${what} needs startApiServer({ own: true })`);
  };
  return {
    ...clientsOf({ ...value, home: dir }),
    audited: ofAnother('an audit log'),
    restart: ofAnother('a restart'),
    stop: async () => {
      giveBack();
      removeFolder(dir);
    },
  };
}

export async function startOwnApiServer(options: ApiServerOptions): Promise<RunningApiServer> {
  const server = await startEmptyApiServer(options);
  if (options.install === undefined) return server;
  try {
    await server.kubectl(['apply', '-f', join(root, 'charts', options.install)]);
    const crds = ['crd/chatclusters.chat.parley.dev', 'crd/chatdrills.chat.parley.dev'];
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=120s', ...crds]);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function startEmptyApiServer({ audit = false }: ApiServerOptions): Promise<RunningApiServer> {
  const programs = { etcd: program('etcd'), apiserver: program('kube-apiserver') };
  const dir = temporaryFolder();
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const auditLog = join(dir, 'audit.log');
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const etcd = run(dir, programs.etcd, [
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--unsafe-no-fsync',
  ]);
  const flags = [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(dir, 'certificates')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://parley.test',
    `--service-account-key-file=${file('sa.pub', publicKey)}`,
    `--service-account-signing-key-file=${file('sa.key', privateKey)}`,
    `--token-auth-file=${file('tokens.csv', `${USERS}\n`)}`,
    '--authorization-mode=RBAC',
    // There is no controller manager to make the service accounts.
    '--disable-admission-plugins=ServiceAccount',
    ...(audit ? [`--audit-policy-file=${AUDIT_POLICY}`, `--audit-log-path=${auditLog}`] : []),
  ];
  let apiserver = run(dir, programs.apiserver, flags);
  const stop = async (): Promise<void> => {
    await Promise.all([end(apiserver), end(etcd)]);
    removeFolder(dir);
  };
  const certificate = certificateOf(dir);
  try {
    await ready({ port, certificate, dir, children: [etcd, apiserver] });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...clientsOf({ dir, port, home: dir }),
    dir,
    port,
    etcdUrl,
    stop,
    audited: () => auditEvents(readFileSync(auditLog, 'utf8')),
    restart: async () => {
      await end(apiserver, 'SIGKILL');
      apiserver = run(dir, programs.apiserver, flags);
      await ready({ port, certificate, dir, children: [etcd, apiserver] });
    },
  };
}

const certificateOf = (dir: string): string => join(dir, 'certificates', 'apiserver.crt');

/** `dir` is the server's folder; in `home` kubectl keeps what it knows. */
function clientsOf({ dir, port, home }: { dir: string; port: number; home: string }) {
  const certificate = certificateOf(dir);
  const kubectl = program('kubectl');
  const kubeConfig = (as: keyof typeof TOKENS = 'admin'): KubeConfig => {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'test', server: `https://127.0.0.1:${port}`, caData: readFileSync(certificate).toString('base64') }],
      users: [{ name: as, token: TOKENS[as] }],
      contexts: [{ name: as, cluster: 'test', user: as }],
      currentContext: as,
    });
    return config;
  };
  const kubeconfigFile = join(home, 'kubeconfig');
  writeFileSync(kubeconfigFile, kubeConfig().exportConfig(), { mode: 0o600 });
  return {
    kubeconfigFile,
    kubeConfig,
    certificate: () => ({ cert: readFileSync(certificate, 'utf8'), key: readFileSync(certificate.replace(/crt$/, 'key'), 'utf8') }),
    transport: (as: keyof typeof TOKENS = 'admin') => kubeClient({}, kubeConfig(as)),
    kubectl: (args: string[], input?: string) =>
      new Promise<string>((resolve, reject) => {
        const env = { KUBECONFIG: kubeconfigFile, HOME: home };
        const child = execFile(kubectl, args, { env, maxBuffer: 1 << 26 }, (error, out, err) =>
          error ? reject(new Error(err || error.message)) : resolve(out),
        );
        child.stdin?.end(input ?? '');
      }),
  };
}

const SETPRIV = '/usr/bin/setpriv';

export function run(dir: string, command: string, args: string[]): ChildProcess {
  const name = command.split('/').at(-1) ?? command;
  const log = openSync(join(dir, `${name}.log`), 'a', 0o600);
  // Memory is there, CPU time is what there is little of: programs in Go spend a sixth of theirs on collecting garbage at the default of 100.
  const options = { stdio: ['ignore' as const, log, log], cwd: dir, env: { ...process.env, GOGC: '400' } };
  // A test process that is killed cannot end them: the kernel does.
  const [file, all] = existsSync(SETPRIV) ? [SETPRIV, ['--pdeathsig', 'KILL', '--', command, ...args]] : [command, args];
  return endWithUs(spawn(file, all, options));
}

export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Ready also means that the roles of a fresh server are there. */
async function ready({ port, certificate, dir, children }: { port: number; certificate: string; dir: string; children: ChildProcess[] }) {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const dead = children.find((child) => child.exitCode !== null || child.signalCode !== null);
    if (dead) throw new Error(`${dead.spawnfile} ended:\n${tail(dir)}`);
    if (existsSync(certificate) && (await answers(port, certificate))) return;
    await sleep(100);
  }
  throw new Error(`the API server was not ready within ${READY_WITHIN_MS / 1000} s:\n${tail(dir)}`);
}

function answers(port: number, certificate: string): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path: '/readyz',
        ca: readFileSync(certificate),
        agent: false,
        timeout: 2000,
        headers: { authorization: `Bearer ${TOKENS.admin}` },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => resolve(false));
    outgoing.end();
  });
}

const tail = (dir: string): string =>
  ['etcd.log', 'kube-apiserver.log']
    .filter((name) => existsSync(join(dir, name)))
    .map((name) => readFileSync(join(dir, name), 'utf8').split('\n').slice(-15).join('\n'))
    .join('\n');
