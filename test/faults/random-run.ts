// A random run of many clients on several replicas: joins, messages, leaves, removals, reads, disconnects, and faults of the servers.
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBinary, toBinary } from '@parley/chat-store';
import { topics, type MessageRange } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { ChatCluster } from '../helpers/chat-cluster.ts';
import { startCoreProcess, type CoreProcess } from './core-process.ts';
import type { History, HistoryEvent, Sample, StoredEntry } from './history.ts';
import { pick, RandomMembers } from './random-members.ts';
import { RecordingClient } from './recording-client.ts';

export interface RunOptions {
  cluster: ChatCluster;
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
/** Time for what nobody has announced: heads are compared with the database every 5 s. */
const CATCH_UP_MS = 20_000;
/** Between two rounds of actions. */
const STEP_MS = 20;
const ACTIONS_A_STEP = 4;

export async function randomRun(options: RunOptions): Promise<History> {
  const { cluster, seed } = options;
  const random = randomOf(seed);
  const events: HistoryEvent[] = [];
  const users = Array.from({ length: options.clients }, (_, index) => 10_000 + index);
  const members = await createRooms(options, users);
  const core = await startCoreProcess(cluster, users);
  try {
    const clients = await createClients(cluster, { users, random, events, core });
    for (const client of clients) {
      for (const [room, ids] of members) if (ids.includes(client.user)) client.join(room);
      client.connect();
    }
    const onBack = (room: string, userId: number) => clients.find(({ user }) => user === userId)?.join(room);
    const changes = new RandomMembers({ cluster, core, random, members, onBack });
    await act(options, { random, clients, changes, rooms: [...members.keys()] });
    await settle(clients, changes);
    const stored = await readStored(cluster);
    await catchUp(clients, stored);
    events.push({ kind: 'quiet' });
    for (const client of clients) client.stop();
    const samples = await samplesOf(cluster);
    return { events, stored, members, samples, published: await readPublished(cluster) };
  } finally {
    await core.stop();
  }
}

async function createRooms({ cluster, rooms, membersPerRoom }: RunOptions, users: readonly number[]): Promise<Map<string, number[]>> {
  const members = new Map<string, number[]>();
  for (let index = 0; index < rooms; index++) {
    const start = Math.floor((index * users.length) / rooms);
    const first = Array.from({ length: membersPerRoom }, (_, offset) => users[(start + offset) % users.length] as number);
    const room = await cluster.room(first);
    await cluster.pool.query("UPDATE room_members SET role = 'admin' WHERE room_id = ? AND user_id = ?", [toBinary(room), first[0]]);
    members.set(room, first);
  }
  return members;
}

interface ClientParts {
  users: readonly number[];
  random: () => number;
  events: HistoryEvent[];
  core: CoreProcess;
}

async function createClients({ issuer, replicas }: ChatCluster, { users, random, events, core }: ClientParts): Promise<RecordingClient[]> {
  let joins = 0;
  const urls = () => replicas.filter(({ process }) => process.exitCode === null && process.signalCode === null).map(({ url }) => url);
  const record = (event: HistoryEvent) => events.push(event);
  const parts = { urls, random, record, nextJoin: () => ++joins, rest: core.call };
  return Promise.all(users.map(async (user) => new RecordingClient({ ...parts, user, token: await issuer.token(user) })));
}

interface Actors {
  random: () => number;
  clients: readonly RecordingClient[];
  changes: RandomMembers;
  rooms: readonly string[];
}

async function act({ seconds, fault }: RunOptions, { random, clients, changes, rooms }: Actors): Promise<void> {
  const started = Date.now();
  let faulted: Promise<void> | undefined;
  while (Date.now() - started < seconds * 1000) {
    if (fault && !faulted && Date.now() - started > (seconds * 1000) / 3) faulted = fault();
    for (let step = 0; step < ACTIONS_A_STEP; step++) {
      const client = pick(clients, random) as RecordingClient;
      // Now and then a room that is not the client's.
      const room = pick([...client.rooms.keys(), ...(random() < 0.02 ? rooms : [])], random);
      if (room !== undefined) actOnce(client, room, random);
    }
    const room = pick(rooms, random);
    if (room !== undefined && random() < 0.1) void changes.change(room);
    await sleep(STEP_MS);
  }
  await faulted;
}

function actOnce(client: RecordingClient, room: string, random: () => number): void {
  const dice = random();
  if (dice < 0.76) client.say(room);
  else if (dice < 0.8) void client.sayByRest(room);
  else if (dice < 0.9) client.read(room);
  else if (dice < 0.94) client.drop(random() < 0.5 ? 'close' : 'terminate');
  else if (dice < 0.965) client.leave(room);
  else if (dice < 0.99) client.join(room);
  else client.forget(room);
}

/** Everything is acked and joined again; what was refused for good is given up. */
async function settle(clients: readonly RecordingClient[], changes: RandomMembers): Promise<void> {
  const end = Date.now() + SETTLE_MS;
  const waiting = () => clients.filter((client) => !client.settled);
  while (waiting().length > 0 || changes.busy) {
    if (Date.now() > end) {
      const [first] = waiting();
      throw new Error(`${waiting().length} clients do not come to rest; the first has ${first?.unacked.size} unacked messages`);
    }
    await sleep(100);
  }
}

/** Waits until everybody has everything; who has not by then is the checker's business. */
async function catchUp(clients: readonly RecordingClient[], stored: readonly StoredEntry[]): Promise<void> {
  const heads = new Map(stored.map(({ room, seq }) => [room, seq]));
  const isBehind = (client: RecordingClient) => [...heads].some(([room, head]) => !client.isAt(room, head));
  for (const end = Date.now() + CATCH_UP_MS; Date.now() < end && clients.some(isBehind);) await sleep(100);
}

/** What the relay would publish: the ranges of the outbox in their order. */
async function readPublished({ pool }: ChatCluster): Promise<{ room: string; seq: number }[]> {
  const [rows] = await pool.query<RowDataPacket[]>('SELECT payload FROM outbox WHERE topic = ? ORDER BY id', [topics.messages]);
  return rows.flatMap((row) => {
    const { room_id, from_seq, to_seq } = JSON.parse(row['payload'] as string) as MessageRange;
    return Array.from({ length: to_seq - from_seq + 1 }, (_, index) => ({ room: room_id, seq: from_seq + index }));
  });
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
