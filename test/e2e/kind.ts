// The cluster that `npm run kind` made, as a test uses it: kubectl, port-forwards, users.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

interface KindFile {
  kubeconfig: string;
  context: string;
  namespace: string;
  chatCluster: string;
  apiKeySecret: string;
}

const root = new URL('../../', import.meta.url).pathname;
export const kind = JSON.parse(readFileSync(join(root, '.parley', 'kind.json'), 'utf8')) as KindFile;
const cache = process.env['PARLEY_CACHE'] ?? join(homedir(), '.cache', 'parley');
const env = { ...process.env, KUBECONFIG: kind.kubeconfig, PATH: [join(cache, 'kind', 'bin'), process.env['PATH']].join(delimiter) };
const run = promisify(execFile);

/** Output of kubectl in the demo's namespace; throws with its error text. */
export const kubectl = (...args: string[]): Promise<string> => kubectlWith(args);

/** The same with something to read, for instance an object for `apply -f -`. */
export async function kubectlWith(args: readonly string[], input = ''): Promise<string> {
  const running = run('kubectl', ['--namespace', kind.namespace, ...args], { env, maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.end(input);
  return (await running).stdout.trim();
}

/** Nodes are containers: of podman or of docker. */
export async function engineOf(node: string): Promise<'podman' | 'docker'> {
  const has = await run('podman', ['container', 'inspect', node], { env }).then(
    () => true,
    () => false,
  );
  return has ? 'podman' : 'docker';
}

/** What a program prints on a node. */
export async function onNode(node: string, ...command: string[]): Promise<string> {
  const { stdout } = await run(await engineOf(node), ['exec', node, ...command], { env, maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}

/** Runs a program on every node. */
export async function onEveryNode(...command: string[]): Promise<void> {
  const nodes = (await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
  for (const node of nodes) await onNode(node, ...command);
}

/** What a shell prints for these lines; throws with its error text. */
export async function shell(lines: readonly string[]): Promise<string> {
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', lines.join('\n')], { env });
  return stdout.trim();
}

/** What the API server would say of an object: the error text when it refuses it, undefined when it takes it. */
export const refusal = (manifest: object): Promise<string | undefined> =>
  kubectlWith(['apply', '--dry-run=server', '-f', '-'], JSON.stringify(manifest)).then(
    () => undefined,
    (error: unknown) => (error as { stderr: string }).stderr,
  );

export interface Forward {
  port: number;
  stop(): void;
}

/**
 * kubectl port-forward on a free port; resolves when it forwards. kubectl gives up ("lost connection to pod") with the first connection
 * that is reset at its other end, as those through a proxy are when a replica is killed, or when its pod goes: it is started again, on the same port.
 */
export async function forward(target: string, port: number): Promise<Forward> {
  const stopped = new AbortController();
  const { child: first, local } = await startForward(target, `:${port}`, stopped.signal);
  const again = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        const { child } = await startForward(target, `${local}:${port}`, stopped.signal);
        return void child.once('exit', () => void again());
      } catch (error) {
        if (!stopped.signal.aborted) process.stderr.write(`${(error as Error).message}\n`);
        await sleep(500);
      }
    }
  };
  first.once('exit', () => void again());
  return { port: local, stop: () => stopped.abort() };
}

async function startForward(target: string, ports: string, signal: AbortSignal): Promise<{ child: ChildProcess; local: number }> {
  const args = ['--namespace', kind.namespace, 'port-forward', target, ports];
  const child = spawn('kubectl', args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const local = await new Promise<number>((resolve, reject) => {
    let errors = '';
    child.stdout.on('data', (data: Buffer) => {
      const found = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(data.toString());
      if (found) resolve(Number(found[1]));
    });
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    // Also that it was stopped, which nobody waits for.
    child.on('error', reject);
    child.once('exit', (code) => reject(new Error(`port-forward of ${target} ended with ${code}: ${errors}`)));
  });
  return { child, local };
}

export async function eventually<T>(what: string, check: () => Promise<T | undefined | false>, deadlineMs = 120_000): Promise<T> {
  const end = Date.now() + deadlineMs;
  let last = '';
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = (error as Error).message;
    }
    if (Date.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what} ${last}`);
    await sleep(500);
  }
}

export const clusterReady = () => kubectl('wait', `chatcluster/${kind.chatCluster}`, '--for=condition=Ready', '--timeout=180s');

export async function apiKey(): Promise<string> {
  const secret = JSON.parse(await kubectl('get', 'secret', kind.apiKeySecret, '-o', 'json')) as { data: { apiKey: string } };
  return Buffer.from(secret.data.apiKey, 'base64').toString();
}

/** A user with a token, registered through the gateway. */
export async function user(gateway: string, name: string): Promise<{ id: number; token: string }> {
  const register = async () =>
    fetch(`${gateway}/api/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': await apiKey() },
      body: JSON.stringify({ name, email: `${name}-${Date.now()}@example.org`, password: 'a long enough password' }),
    });
  let response = await register();
  // Everybody behind a port-forward has one address, and an address a few attempts a minute.
  for (; response.status === 429; response = await register()) await sleep(Number(response.headers.get('retry-after') ?? 1) * 1000);
  if (response.status !== 201) throw new Error(`register: ${response.status} ${await response.text()}`);
  const { token, user: created } = (await response.json()) as { token: string; user: { id: number } };
  return { id: created.id, token };
}

export async function directRoom(entry: string, token: string, other: number): Promise<string> {
  const response = await fetch(`${entry}/api/rooms`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ room_type: 'direct', member_ids: [other] }),
  });
  if (response.status !== 201 && response.status !== 200) throw new Error(`room: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}
