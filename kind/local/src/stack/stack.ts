// The whole of a local start: databases, migrations, services, HAProxy; started in layers and stopped in reverse.
import { join } from 'node:path';
import type { DataFolder } from '../data-folder.ts';
import type { Ports } from '../ports.ts';
import { killGroup, type Child } from '#servers/processes/child';
import type { PidFile } from '#servers/processes/pid-file';
import type { Secrets } from '../secrets.ts';
import { startHaproxy } from '#servers/haproxy';
import { startKafka } from '#servers/kafka';
import { startMysql } from '#servers/mysql';
import { startPostgres } from '#servers/postgres';
import { startRedis } from '#servers/redis';
import type { Server, ServerOptions } from '#servers/server';
import { MIGRATIONS, serviceSpecs, type ServiceSpec, type Urls } from '../services.ts';
import { ingressConfig } from './ingress.ts';
import { KeptServer } from './keep.ts';
import type { Progress } from './progress.ts';
import { runMigration, startService } from './service.ts';
import { together } from './together.ts';

export interface StackOptions {
  /** The repository. */
  root: string;
  folder: DataFolder;
  ports: Ports;
  secrets: Secrets;
  /** Base URL of a collector for traces. */
  traces: string | undefined;
  /** Folder of Kafka's jars; undefined: no Kafka, events wait in the outbox. */
  kafkaJars: string | undefined;
  pidFile: PidFile;
  progress: Progress;
  signal: AbortSignal;
  /** Told after a process was started again: pids have changed. */
  onChange: () => void;
}

export class LocalStack {
  readonly #options: StackOptions;
  /** Data servers are not started again: a database that ended by itself is a fact to look at, and the rest shows how Parley lives without it. */
  readonly #databases: Server[] = [];
  readonly #services = new Map<string, KeptServer>();
  readonly #pids = new Set<number>();
  #stopping = false;

  constructor(options: StackOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    // Kafka takes longest and nobody waits for it: until it answers, events wait in the outbox.
    await together(this.#options.signal, [(signal) => this.#startKafka(signal), (signal) => this.#startChat(signal)]);
    for (const server of this.#databases) void server.exited.then((reason) => this.#databaseEnded(server, reason));
  }

  async #startChat(signal: AbortSignal): Promise<void> {
    await this.#startDatabases(signal);
    const urls = this.#urls();
    await this.#migrate(urls, signal);
    await this.#startServices(urls, signal);
    await this.#startIngress(signal);
  }

  /**
   * Chat first, so that its reconnect frames still pass HAProxy; then HAProxy, the other services, and last what they store in.
   * Safe to call while start() is under way after its signal was aborted: what is not started yet cleans up after itself.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const kept = [...this.#services];
    const stopAll = (chosen: (name: string) => boolean) =>
      Promise.all(kept.filter(([name]) => chosen(name)).map(([, each]) => each.stop()));
    const isChat = (name: string) => name.startsWith('chat-');
    await stopAll(isChat);
    await stopAll((name) => name === 'haproxy');
    await stopAll((name) => !isChat(name) && name !== 'haproxy');
    await Promise.all(this.#databases.map((server) => server.stop()));
  }

  /** For the impatient: no drain, no clean shutdown. Data is safe, it is synced at every commit. */
  kill(): void {
    this.#stopping = true;
    this.#pids.forEach(killGroup);
  }

  get running(): Pick<Server, 'name' | 'pid' | 'url'>[] {
    const services = [...this.#services.values()].map((each) => each.server);
    return [...this.#databases, ...services];
  }

  async #startDatabases(signal: AbortSignal): Promise<void> {
    const { ports, secrets } = this.#options;
    await together(signal, [
      this.#database('redis', (options) => startRedis({ ...options, port: ports.redis, password: secrets.redisPassword })),
      this.#database('mysql', (options) =>
        startMysql({ ...options, port: ports.mysql, password: secrets.mysqlPassword, rootPassword: secrets.mysqlRootPassword }),
      ),
      this.#database('postgres', (options) => startPostgres({ ...options, port: ports.postgres, password: secrets.postgresPassword })),
    ]);
  }

  async #startKafka(signal: AbortSignal): Promise<void> {
    const { ports, kafkaJars: jars } = this.#options;
    if (jars === undefined) return;
    await this.#database('kafka', (options) => startKafka({ ...options, port: ports.kafka, controllerPort: ports.kafkaController, jars }))(
      signal,
    );
  }

  #database(name: string, start: (options: ServerOptions) => Promise<Server>): (signal: AbortSignal) => Promise<void> {
    return async (signal) => {
      const server = await this.#options.progress.step(
        name,
        () => start(this.#serverOptions(name, signal)),
        ({ port }) => `127.0.0.1:${port}`,
      );
      this.#databases.push(server);
    };
  }

  async #migrate(urls: Urls, signal: AbortSignal): Promise<void> {
    const { root, progress } = this.#options;
    const migrate = (name: string, entry: string, url: string) => (both: AbortSignal) =>
      progress.step(
        name,
        () => runMigration(root, { name, entry, url }, this.#serverOptions(name, both)),
        () => 'schema is current',
      );
    await together(signal, [
      migrate('migrate-chat', MIGRATIONS.chat, urls.mysql),
      migrate('migrate-users', MIGRATIONS.users, urls.postgres),
    ]);
  }

  async #startServices(urls: Urls, signal: AbortSignal): Promise<void> {
    const { root, ports, secrets, traces, progress } = this.#options;
    const start = (spec: ServiceSpec) => async (both: AbortSignal) => {
      const begin = (stop: AbortSignal) => startService(root, spec, this.#serverOptions(spec.name, stop));
      const server = await progress.step(
        spec.name,
        () => begin(both),
        () => (spec.port === 0 ? '' : `127.0.0.1:${spec.port}`),
      );
      this.#keep(server, begin);
    };
    await together(signal, serviceSpecs({ ports, secrets, urls, traces }).map(start));
  }

  async #startIngress(signal: AbortSignal): Promise<void> {
    const { ports, secrets, progress } = this.#options;
    const config = ingressConfig({ ports, secrets, dir: this.#serverOptions('haproxy', signal).dir });
    const begin = (stop: AbortSignal) =>
      startHaproxy({ ...this.#serverOptions('haproxy', stop), config, ports: [ports.chat, ports.gateway, ports.stats] });
    const server = await progress.step(
      'haproxy',
      () => begin(signal),
      () => [ports.gateway, ports.chat, ports.stats].map((port) => `:${port}`).join(' '),
    );
    this.#keep(server, begin);
  }

  #keep(first: Server, start: (signal: AbortSignal) => Promise<Server>): void {
    const { say } = this.#options.progress;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const kept = new KeptServer(first, {
      start,
      onExit: (server, reason, pauseMs) => {
        say(
          `${server.name} ended with ${reason}; starting it again in ${seconds(pauseMs)}. Its last lines (${server.logFile}):\n${indent(server.tail(5))}`,
        );
      },
      onRestart: (server) => {
        say(`${server.name} runs again (pid ${server.pid})`);
        this.#options.onChange();
      },
      onFailure: (error, pauseMs) =>
        say(`${first.name} did not start, next try in ${seconds(pauseMs)}: ${error instanceof Error ? error.message : String(error)}`),
    });
    this.#services.set(first.name, kept);
  }

  #databaseEnded(server: Server, reason: string): void {
    if (this.#stopping) return;
    const advice = 'It is not started again by itself; everything else goes on. Press Ctrl-C and start again to have it back.';
    this.#options.progress.say(
      `${server.name} ended with ${reason}. ${advice} Its last lines (${server.logFile}):\n${indent(server.tail(5))}`,
    );
  }

  #serverOptions(name: string, signal: AbortSignal): ServerOptions {
    const { folder } = this.#options;
    return { dir: join(folder.servers, name), logDir: folder.logs, signal, onSpawn: (child) => this.#spawned(child) };
  }

  #spawned(child: Child): void {
    this.#pids.add(child.pid);
    this.#options.pidFile.add(child.name, child.pid);
    void child.exited.then(() => {
      this.#pids.delete(child.pid);
      this.#options.pidFile.remove(child.pid);
    });
  }

  #urls(): Urls {
    const { kafkaJars, ports } = this.#options;
    const url = (name: string) => this.#databases.find((server) => server.name === name)?.url;
    return {
      mysql: url('mysql') ?? '',
      postgres: url('postgres') ?? '',
      redis: url('redis') ?? '',
      kafka: kafkaJars === undefined ? undefined : `127.0.0.1:${ports.kafka}`,
    };
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
