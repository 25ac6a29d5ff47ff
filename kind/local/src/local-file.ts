// .parley/local.json: what scripts and tests need to talk to a running local start. Exists only while it is ready.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { DemoUser } from './demo.ts';
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';
import type { Server } from '#servers/server';

export interface LocalFile {
  urls: { gateway: string; chat: string; auth: string; core: string; stats: string };
  chatInstances: { name: string; url: string; adminUrl: string; pid: number }[];
  apiKey: string;
  users: DemoUser[];
  /** The direct room of the first two users. */
  roomId: string;
  pids: Record<string, number>;
  stats: { user: string; password: string };
  /** With passwords, for clients such as redis-cli, and the Kafka broker's address. */
  databases: Record<string, string>;
  /** What listens where. */
  ports: Ports;
}

const url = (port: number) => `http://localhost:${port}`;

interface Facts {
  ports: Ports;
  secrets: Secrets;
  users: DemoUser[];
  roomId: string;
  running: Pick<Server, 'name' | 'pid' | 'url'>[];
}

export function describeLocal({ ports, secrets, users, roomId, running }: Facts): LocalFile {
  const pids = Object.fromEntries(running.map(({ name, pid }) => [name, pid]));
  const databases = Object.fromEntries(
    running.filter(({ name }) => ['mysql', 'postgres', 'redis', 'kafka'].includes(name)).map((each) => [each.name, each.url]),
  );
  return {
    urls: { gateway: url(ports.gateway), chat: url(ports.chat), auth: url(ports.auth), core: url(ports.core), stats: url(ports.stats) },
    chatInstances: ports.chats.map(({ name, port, admin }) => ({ name, url: url(port), adminUrl: url(admin), pid: pids[name] ?? 0 })),
    apiKey: secrets.apiKey,
    users,
    roomId,
    pids,
    stats: { user: secrets.statsUser, password: secrets.statsPassword },
    databases,
    ports,
  };
}

/** Written beside and renamed: a reader sees all of it or nothing. */
export function writeLocalFile(path: string, content: LocalFile): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeLocalFile(path: string): void {
  rmSync(path, { force: true });
}
