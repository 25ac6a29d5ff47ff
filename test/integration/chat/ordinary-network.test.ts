// Resumes over a network as it is: segments of 1,448 bytes, 100 ms of delay. Every join ends in `joined`, what is said meanwhile comes right
// behind it, and who does not read is closed and counted.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { fillRoom, startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startOrdinaryLink, type LinkOptions } from '../../helpers/ordinary-link.ts';
import { WsClient, type Frame } from '../../helpers/ws-client.ts';
import { checkHistory } from '../../faults/check-history.ts';
import type { HistoryEvent, StoredEntry } from '../../faults/history.ts';

const BACKLOG = 500;
const READER = 2;
const SENDER = 1;
const PATIENCE_MS = 300_000;
/** Contents whose frames have about these sizes: JSON writes a quote as two bytes and a control character as six. */
const SIZES = { '440 bytes': 'x'.repeat(140), '16 kB': '"'.repeat(8000), '48 kB': '\u0001'.repeat(8000) };

describe('resume over an ordinary network', () => {
  let cluster: ChatCluster;
  before(async () => {
    // On a machine that has much else to do a quick reader may stand still for seconds, too.
    cluster = await startChatCluster(2, { SLOW_READER_SECONDS: '120' });
  });
  after(() => cluster.stop());

  const connect = async (context: { after: (end: () => Promise<void>) => void }, replica: Replica, options?: LinkOptions) => {
    const link = await startOrdinaryLink(replica.url, options);
    const client = await WsClient.login(link.url, await cluster.issuer.token(READER));
    context.after(async () => {
      client.socket.terminate();
      await link.close();
    });
    return client;
  };

  /** Joins the rooms at once on every replica while somebody talks in them, and lets the checker of histories judge what came. */
  const resumeEverywhere = async (
    context: Parameters<typeof connect>[0],
    { rooms, windowBytes }: { rooms: string[]; windowBytes: number },
  ) => {
    const events: HistoryEvent[] = [];
    const readers: WsClient[] = [];
    let join = 0;
    for (const replica of cluster.replicas) {
      const reader = await connect(context, replica, { windowBytes });
      readers.push(reader);
      const joins = new Map(rooms.map((room) => [room, ++join]));
      reader.socket.on('message', () => record(events, joins, reader.frames.pop()));
      for (const [room, number] of joins) events.push({ kind: 'join', join: number, user: READER, room, afterSeq: 0 });
    }
    for (const reader of readers) for (const room of rooms) reader.send({ type: 'join_room', room_id: room, after_seq: 0 });
    const sender = await cluster.login(cluster.replicas[0] as Replica, SENDER);
    const isOver = () => events.filter(({ kind }) => kind === 'joined').length === rooms.length * readers.length;
    const closed = () => readers.find((reader) => reader.closed)?.closed;
    const heads = new Map<string, number>();
    await eventually(
      'joined in every room on every replica',
      async () => {
        assert.equal(closed(), undefined, 'no reader is closed');
        for (const room of rooms) await say(sender, events, { room, heads });
        return isOver();
      },
      PATIENCE_MS,
    );
    for (const room of rooms) await say(sender, events, { room, heads });
    const delivered = () => events.filter((event) => event.kind === 'delivered').length;
    const wanted = readers.length * [...heads.values()].reduce((sum, head) => sum + head, 0);
    await eventually(`${wanted} entries, of which some came live`, () => delivered() >= wanted || closed() !== undefined, PATIENCE_MS);
    assert.equal(closed(), undefined, 'no reader is closed');
    for (const replica of cluster.replicas) assert.doesNotMatch(replica.output(), /"level":"ERROR"/);
    events.push({ kind: 'quiet' });
    const members = new Map(rooms.map((room) => [room, [SENDER, READER]]));
    assert.deepEqual(checkHistory({ events, stored: await storedIn(cluster.pool, rooms), members, samples: [], published: undefined }), []);
  };

  for (const [size, content] of Object.entries(SIZES)) {
    for (const [count, windowBytes] of [
      [1, 256 * 1024],
      [10, 1024 * 1024],
    ] as const) {
      test(`${BACKLOG} frames of ${size} in ${count === 1 ? 'a room' : `${count} rooms at once`}`, async (context) => {
        const rooms: string[] = [];
        for (let index = 0; index < count; index++) {
          const room = await cluster.room([SENDER, READER]);
          await fillRoom(cluster.pool, room, { content, count: BACKLOG, senderId: SENDER });
          rooms.push(room);
        }
        await resumeEverywhere(context, { rooms, windowBytes });
      });
    }
  }

  test('a reader that stops in the middle of a resume is closed in its time and counted', async (context) => {
    const room = await cluster.room([SENDER, READER]);
    await fillRoom(cluster.pool, room, { content: SIZES['48 kB'], count: BACKLOG, senderId: SENDER });
    const replica = await cluster.startReplica('chat-strict', { SLOW_READER_SECONDS: '3' });
    const before = await slowClosed(replica);
    const reader = await connect(context, replica);
    reader.send({ type: 'join_room', room_id: room, after_seq: 0 });
    await reader.next((frame) => frame.type === 'message', PATIENCE_MS);
    (reader.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    await eventually('the stalled reader is counted', async () => (await slowClosed(replica)) === before + 1, PATIENCE_MS);
    assert.equal(
      reader.frames.some((frame) => frame.type === 'joined'),
      false,
    );
  });
});

function record(events: HistoryEvent[], joins: ReadonlyMap<string, number>, frame: Frame | undefined): void {
  const join = joins.get(String(frame?.['room_id']));
  if (!frame || join === undefined) return;
  const seq = Number(frame['seq']);
  if (frame.type === 'message') {
    const { id, content, sender_id } = frame;
    events.push({ kind: 'delivered', join, seq, entry: String(id), content: String(content), sender: Number(sender_id) });
  } else if (frame.type === 'joined') {
    events.push({ kind: 'joined', join, head: seq, recovered: true, replayedFrom: Number(frame['replayed_from']) });
  } else assert.notEqual(frame.type, 'error', JSON.stringify(frame));
}

async function say(sender: WsClient, events: HistoryEvent[], { room, heads }: { room: string; heads: Map<string, number> }): Promise<void> {
  const id = newId();
  const content = `said meanwhile, ${id}`;
  events.push({ kind: 'sent', user: SENDER, room, id, content });
  sender.send({ type: 'message', room_id: room, content, client_msg_id: id });
  const ack = await sender.next((frame) => frame['client_msg_id'] === id, PATIENCE_MS);
  assert.equal(ack.type, 'ack', JSON.stringify(ack));
  heads.set(room, Number(ack['seq']));
  events.push({ kind: 'ack', user: SENDER, room, id, seq: Number(ack['seq']), entry: String(ack['id']) });
}

async function storedIn(pool: MysqlPool, rooms: readonly string[]): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  for (const room of rooms) {
    const [rows] = await pool.query('SELECT seq, LOWER(HEX(id)) AS id, sender_id, client_msg_id, content FROM messages WHERE room_id = ?', [
      toBinary(room),
    ]);
    for (const { seq, id, sender_id, client_msg_id, content } of rows as { [column: string]: string }[]) {
      const entry = String(id).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      const about = { room, entry, sender: Number(sender_id), id: client_msg_id ?? null };
      found.push({ ...about, seq: Number(seq), content: String(content), member: undefined });
    }
  }
  return found;
}

/** Sockets that this replica has closed because they read too slowly. */
async function slowClosed(replica: Replica): Promise<number> {
  const text = await (await fetch(`${replica.adminUrl}/metrics`)).text();
  return Number(/^websocket_closed_total\{[^}]*code="4408"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
}
