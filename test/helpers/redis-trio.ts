// Three Redis servers and three Sentinels as processes of this machine: the configuration, the scripts, the commands and the probes are those
// that the manifests of `spec.redis.replicas: 3` hold. Only addresses and folders differ: every "pod" is localhost with ports of its own.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { secretsOf } from '@parley/cdk8s';
import { startChild, type Child } from '../../kind/servers/src/processes/child.ts';
import { waitUntil } from '../../kind/servers/src/processes/probe.ts';
import { find, objectsOf, planOf, type PodSpec } from '../unit/cdk8s/rendered.ts';
import { freePort, removeFolder, temporaryFolder } from './servers.ts';

export type Part = 'redis' | 'sentinel';
const PARTS: readonly Part[] = ['redis', 'sentinel'];
const SPEC = { redis: { replicas: 3 } };
const run = promisify(execFile);

interface RenderedContainer {
  name: string;
  command: string[];
  env: { name: string; value?: string }[];
  readinessProbe: { exec: { command: string[] } };
  lifecycle?: { preStop: { exec: { command: string[] } } };
}

interface Node {
  redis: number;
  sentinel: number;
  dir: string;
  running: Partial<Record<Part, Child>>;
}

export class RedisTrio {
  readonly #dir = temporaryFolder();
  readonly #nodes: Node[] = [];
  #password = '';
  #sentinelUrl = '';

  /** Writes what the pods would have mounted. Nothing runs yet. */
  static async prepare(): Promise<RedisTrio> {
    const trio = new RedisTrio();
    const secret = secretsOf(planOf(SPEC))
      .find(({ name }) => name === 'demo-redis')
      ?.make(randomBytes);
    trio.#password = secret?.['password'] ?? '';
    trio.#sentinelUrl = secret?.['url'] ?? '';
    const scripts = find(objectsOf(SPEC), 'ConfigMap', 'demo-redis')['data'] as Record<string, string>;
    for (const folder of ['scripts', 'config']) mkdirSync(join(trio.#dir, folder));
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(trio.#dir, 'scripts', name), text);
    // In a pod the NetworkPolicy says who may connect; here nobody from outside shall.
    for (const name of ['node.conf', 'sentinel.conf'])
      writeFileSync(join(trio.#dir, 'config', name), `${secret?.[name]}bind 127.0.0.1\n`, { mode: 0o600 });
    for (let index = 0; index < 3; index++) {
      const dir = join(trio.#dir, `pod-${index}`);
      trio.#nodes.push({ redis: await freePort(), sentinel: await freePort(), dir, running: {} });
      trio.#makeFolders(index);
    }
    return trio;
  }

  /** All of them, until each is ready. */
  static async start(): Promise<RedisTrio> {
    const trio = await RedisTrio.prepare();
    try {
      await Promise.all([0, 1, 2].map((index) => trio.startPod(index)));
      await trio.allReady();
      await trio.#allKnown();
      return trio;
    } catch (error) {
      await trio.stop();
      throw error;
    }
  }

  /** As the Secret has it, with the addresses of this machine. */
  get url(): string {
    const hosts = this.#nodes.map(({ sentinel }) => `localhost:${sentinel}`).join(',');
    return this.#sentinelUrl.replace(/@[^/]+/, `@${hosts}`);
  }

  async startPod(index: number): Promise<void> {
    for (const part of PARTS) await this.start(index, part);
  }

  async start(index: number, part: Part): Promise<void> {
    const node = this.#node(index);
    const [command = '', ...args] = this.#local(this.#container(part).command);
    node.running[part] = await startChild({
      ...{ name: `${part}-${index}`, command, args, env: this.#env(index, part), cwd: node.dir },
      ...{ logFile: join(this.#dir, `${part}-${index}.log`), deathSignal: 'KILL' },
    });
  }

  /** kill -9, of one part or of the whole pod. */
  async kill(index: number, parts: readonly Part[] = PARTS): Promise<void> {
    await Promise.all(parts.map(async (part) => this.#node(index).running[part]?.end('SIGKILL', 5000)));
  }

  /** As the kubelet ends a pod: the hook of Redis while it is alive, SIGTERM for both. Returns who was the primary when the hook was done. */
  async endPod(index: number): Promise<number | undefined> {
    const { running } = this.#node(index);
    const hook = this.#run(index, 'redis', this.#container('redis').lifecycle?.preStop.exec.command ?? []);
    await running.sentinel?.end('SIGTERM', 10_000);
    await hook;
    // One that has just started may not have heard yet.
    const told = await Promise.all([1, 2].map((step) => this.primary((index + step) % 3)));
    await running.redis?.end('SIGTERM', 10_000);
    return told.find((primary) => primary !== undefined && primary !== index) ?? told[0];
  }

  pause(index: number, part: Part): void {
    this.#node(index).running[part]?.kill('SIGSTOP');
  }
  resume(index: number, part: Part): void {
    this.#node(index).running[part]?.kill('SIGCONT');
  }

  /** The volume is gone. */
  wipe(index: number): void {
    rmSync(this.#node(index).dir, { recursive: true, force: true });
    this.#makeFolders(index);
  }

  /** What a Sentinel remembers is gone. */
  wipeSentinel(index: number): void {
    rmSync(join(this.#node(index).dir, 'data', 'sentinel'), { recursive: true, force: true });
  }

  /** SIGTERM; how it ended. */
  async end(index: number, part: Part): Promise<string | undefined> {
    const child = this.#node(index).running[part];
    await child?.end('SIGTERM', 10_000);
    return child?.exited;
  }

  /** What it wrote since its start. */
  log(index: number, part: Part): string {
    return this.#node(index).running[part]?.tail(200) ?? '';
  }

  /** The readiness probe of the manifests. */
  async ready(index: number, part: Part): Promise<boolean> {
    return this.#run(index, part, this.#container(part).readinessProbe.exec.command);
  }

  async allReady(indices: readonly number[] = [0, 1, 2]): Promise<void> {
    const check = async () => (await Promise.all(indices.flatMap((index) => PARTS.map((part) => this.ready(index, part))))).every(Boolean);
    await waitUntil(check, { what: 'every Redis and every Sentinel to be ready', withinMs: 60_000, signal: undefined }).catch(
      (error: unknown) => {
        const logs = indices.flatMap((index) => PARTS.map((part) => `${part}-${index}:\n${this.log(index, part)}`));
        throw new Error(`${String(error)}\n${logs.join('\n')}`);
      },
    );
  }

  /** The first time a Sentinel hears of a replica up to ten seconds after the other one. */
  async #allKnown(): Promise<void> {
    const known = async (index: number) =>
      (await this.cli(index, 'sentinel', 'sentinel', 'master', 'parley-primary')).includes('num-slaves\n2\n');
    const check = async () => (await Promise.all([0, 1, 2].map(known))).every(Boolean);
    await waitUntil(check, { what: 'every Sentinel to know both replicas', withinMs: 60_000, signal: undefined });
  }

  /** Of which a Sentinel says that it is the primary; undefined: it does not answer. */
  async primary(sentinel: number): Promise<number | undefined> {
    const answer = await this.cli(sentinel, 'sentinel', 'sentinel', 'get-master-addr-by-name', 'parley-primary');
    const index = this.#nodes.findIndex(({ redis }) => answer === `localhost\n${redis}`);
    return index < 0 ? undefined : index;
  }

  /** Until these Sentinels agree on a primary other than `old`. A Sentinel that has just started hears of the others what it missed. */
  async newPrimary(old: number | undefined, sentinels: readonly number[] = [0, 1, 2]): Promise<number> {
    let found: number | undefined;
    const check = async () => {
      const told = new Set(await Promise.all(sentinels.map((index) => this.primary(index))));
      [found] = told;
      return told.size === 1 && found !== undefined && found !== old;
    };
    await waitUntil(check, { what: 'another primary', withinMs: 60_000, signal: undefined });
    return found ?? -1;
  }

  /** `redis-cli`; an empty text when nobody answers. */
  async cli(index: number, part: Part, ...args: string[]): Promise<string> {
    const command = ['-h', '127.0.0.1', '-p', String(this.#node(index)[part]), '--raw', ...args];
    const { stdout } = await run('redis-cli', command, { env: this.#env(index, part), timeout: 5000 }).catch(() => ({ stdout: '' }));
    return stdout.trim();
  }

  async stop(): Promise<void> {
    for (const { running } of this.#nodes)
      for (const part of PARTS) {
        running[part]?.kill('SIGCONT');
        await running[part]?.end('SIGKILL', 5000);
      }
    removeFolder(this.#dir);
  }

  #node(index: number): Node {
    const node = this.#nodes[index];
    if (!node) throw new Error(`there is no pod ${index}`);
    return node;
  }

  #makeFolders(index: number): void {
    for (const folder of ['data', 'run']) mkdirSync(join(this.#node(index).dir, folder), { recursive: true });
  }

  #container(part: Part): RenderedContainer {
    const { template } = find(objectsOf(SPEC), 'StatefulSet', 'demo-redis')['spec'] as { template: { spec: PodSpec } };
    return template.spec.containers.find(({ name }) => name === part) as unknown as RenderedContainer;
  }

  #local = (command: readonly string[]): string[] => command.map((word) => word.replace(/^\/scripts\//, `${join(this.#dir, 'scripts')}/`));

  #env(index: number, part: Part): Record<string, string> {
    const { redis, sentinel, dir } = this.#node(index);
    const rendered = Object.fromEntries(
      this.#container(part).env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    );
    return {
      ...rendered,
      PATH: process.env['PATH'] ?? '',
      REDISCLI_AUTH: this.#password,
      SELF: 'localhost',
      REDIS_PORT: String(redis),
      SENTINEL_PORT: String(sentinel),
      SENTINELS: this.#nodes.map((node) => `localhost:${node.sentinel}`).join(' '),
      FIRST_PRIMARY: `localhost:${this.#nodes[0]?.redis}`,
      CONFIG_DIR: join(this.#dir, 'config'),
      RUN_DIR: join(dir, 'run'),
      DATA_DIR: join(dir, 'data'),
    };
  }

  /** true: it ended with 0. */
  async #run(index: number, part: Part, command: readonly string[]): Promise<boolean> {
    const [program = '', ...args] = this.#local(command);
    return run(program, args, { env: this.#env(index, part), timeout: 60_000 }).then(
      () => true,
      () => false,
    );
  }
}
