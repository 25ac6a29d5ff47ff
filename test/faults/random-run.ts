// A random run of many clients on several replicas: joins, messages, leaves, removals, reads, disconnects, and faults of the servers.
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBinary } from '@parley/chat-store';
import type { RedisClient } from '@parley/kit';
import type { RowDataPacket } from 'mysql2';
import type { ChatCluster } from '../helpers/chat-cluster.ts';
import { announceEntry, changeMembership } from '../helpers/membership.ts';
import type { History, HistoryEvent, Sample, StoredEntry } from './history.ts';
import { RecordingClient } from './recording-client.ts';

export interface RunOptions {
  cluster: ChatCluster;
  redis: () => RedisClient;
  seed: number;
  seconds: number;
  clients: number;
  rooms: number;
  membersPerRoom: number;
  /** called once, a third into the run */
  fault?: () => Promise<void>;
}

/** The same numbers for the same seed (Mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const SETTLE_MS = 60_000;
/** Removals of a room follow each other, so that the database says at any time who is a member. */
const STEP_MS = 20;

export async function randomRun(options: RunOptions): Promise<History> {
  const { cluster, seed, seconds } = options;
  const random = randomOf(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const events: HistoryEvent[] = [];
  let joins = 0;
  const users = Array.from({ length: options.clients }, (_, index) => 10_000 + index);
  const members = new Map<string, number[]>();
  for (let index = 0; index < options.rooms; index++) {
    const start = Math.floor((index * users.length) / options.rooms);
    const first = Array.from({ length: options.membersPerRoom }, (_, offset) => users[(start + offset) % users.length] as number);
    members.set(await cluster.room(first), first);
  }
  const active = new Map([...members].map(([room, ids]) => [room, new Set(ids)]));
  const clients = await Promise.all(
    users.map(async (user) => {
      const token = await cluster.issuer.token(user);
      const urls = () =>
        cluster.replicas
          .filter((replica) => replica.process.exitCode === null && replica.process.signalCode === null)
          .map(({ url }) => url);
      return new RecordingClient({ user, token, urls, random, record: (event) => events.push(event), nextJoin: () => ++joins });
    }),
  );
  for (const client of clients) {
    for (const [room, ids] of members) if (ids.includes(client.user)) client.join(room);
    client.connect();
  }
  const changing = new Set<string>();
  const change = async (room: string) => {
    if (changing.has(room)) return;
    changing.add(room);
    try {
      const ids = active.get(room) as Set<number>;
      const away = (members.get(room) ?? []).filter((user) => !ids.has(user));
      const back = away.length > 0 && random() < 0.5;
      const userId = back ? pick(away) : pick([...ids]);
      const event = back ? 'member_joined' : random() < 0.5 ? 'member_left' : 'member_removed';
      const entry = await changeMembership(cluster.pool, { roomId: room, userId, event });
      if (back) ids.add(userId);
      else ids.delete(userId);
      // Now and then nobody announces it: replicas have to find it.
      if (random() < 0.8) await announceEntry(options.redis(), entry).catch(() => {});
      if (back) clients.find((client) => client.user === userId)?.join(room);
    } catch {
      // The database was away: nothing has changed.
    } finally {
      changing.delete(room);
    }
  };

  const started = Date.now();
  let faulted: Promise<void> | undefined;
  while (Date.now() - started < seconds * 1000) {
    if (options.fault && !faulted && Date.now() - started > (seconds * 1000) / 3) faulted = options.fault();
    for (let step = 0; step < 4; step++) {
      const client = pick(clients);
      const room = pick([...client.rooms.keys(), ...(random() < 0.02 ? [...members.keys()] : [])]);
      if (room === undefined) continue;
      const dice = random();
      if (dice < 0.8) client.say(room);
      else if (dice < 0.9) client.read(room);
      else if (dice < 0.94) client.drop(random() < 0.5 ? 'close' : 'terminate');
      else if (dice < 0.97) client.leave(room);
      else client.join(room);
    }
    if (random() < 0.1) void change(pick([...members.keys()]));
    await sleep(STEP_MS);
  }
  await faulted;
  await settle(clients, changing);
  const stored = await readStored(cluster);
  for (const client of clients) client.stop();
  const samples = await samplesOf(cluster);
  return { events, stored, members, samples, published: undefined };
}

/** Everything is acked and joined again; what was refused for good is given up. */
async function settle(clients: readonly RecordingClient[], changing: ReadonlySet<string>): Promise<void> {
  const end = Date.now() + SETTLE_MS;
  const waiting = () => clients.filter((client) => !client.settled);
  while (waiting().length > 0 || changing.size > 0) {
    if (Date.now() > end) {
      const [first] = waiting();
      throw new Error(`${waiting().length} clients do not come to rest; the first has ${first?.unacked.size} unacked messages`);
    }
    await sleep(100);
  }
}

async function readStored(cluster: ChatCluster): Promise<StoredEntry[]> {
  const [rows] = await cluster.pool.query<RowDataPacket[]>(
    'SELECT room_id, seq, id, kind, sender_id, client_msg_id, content, metadata FROM messages ORDER BY room_id, seq',
  );
  return rows.map((row) => {
    const event = row['kind'] === 'system' ? (JSON.parse(row['metadata'] as string) as { event: string; user_id: number }) : undefined;
    return {
      room: fromBinary(row['room_id'] as Buffer),
      seq: row['seq'] as number,
      entry: fromBinary(row['id'] as Buffer),
      sender: row['sender_id'] as number,
      id: row['client_msg_id'] as string | null,
      content: row['content'] as string,
      member: event && { user: event.user_id, active: event.event === 'member_joined' },
    };
  });
}

/** After all clients have gone: no socket, nothing queued, no room kept but for its short memory. */
async function samplesOf(cluster: ChatCluster): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const replica of cluster.replicas) {
    if (replica.process.exitCode !== null || replica.process.signalCode !== null) continue;
    const read = async (name: string) => {
      const text = await (await fetch(`${replica.adminUrl}/metrics`)).text();
      return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
    };
    for (let attempt = 0; (await read('websocket_connections')) > 0 && attempt < 50; attempt++) await sleep(100);
    for (const name of ['websocket_connections', 'chat_writer_queue', 'chat_slow_sockets']) {
      samples.push({ name: `${name} of ${replica.name}`, value: await read(name), max: 0 });
    }
  }
  return samples;
}
