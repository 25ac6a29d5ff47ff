// Readers that do not read: they are let go, the others notice nothing, and they resume without a hole.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import type { WsClient } from '../../helpers/ws-client.ts';

describe('slow consumers', () => {
  let cluster: ChatCluster;
  let one: Replica;
  before(async () => {
    cluster = await startChatCluster(1);
    one = cluster.replicas[0] as Replica;
  });
  after(() => cluster.stop());

  const pauseReading = (client: WsClient) => (client.socket as unknown as { _socket: { pause(): void } })._socket.pause();

  test('a stalled reader is closed at the bound; it resumes by seq and has everything; the others lose nothing', async () => {
    const room = await cluster.room([1, 2, 3]);
    const [alice, bob, stalled] = [await cluster.login(one, 1), await cluster.login(one, 2), await cluster.login(one, 3)];
    for (const client of [alice, bob, stalled]) await client.join(room);
    pauseReading(stalled);
    const text = 'x'.repeat(8000);
    // More than the buffers of two kernels hold, and then the bound of the process.
    const count = 1500;
    for (let sent = 0; sent < count; sent += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => alice.say(room, text, `m${sent + index}`)));
    }
    await bob.until(() => bob.messages(room).length === count || undefined);
    const connections = await waitForConnections(one, 2);
    assert.equal(connections, 2, 'the stalled socket is gone');
    stalled.socket.terminate();
    const back = await cluster.login(one, 3);
    const last = Number(stalled.messages(room).at(-1)?.['seq'] ?? 0);
    await back.join(room, Math.max(last, count - 400));
    const seqs = back.messages(room).map((frame) => frame['seq']);
    assert.equal(seqs.at(-1), count);
    assert.deepEqual(
      seqs,
      Array.from({ length: seqs.length }, (_, index) => count - seqs.length + 1 + index),
    );
  });

  test('memory stays bounded while readers stall', async () => {
    const room = await cluster.room(Array.from({ length: 10 }, (_, index) => 1 + index));
    const clients = await Promise.all(Array.from({ length: 10 }, (_, index) => cluster.login(one, 1 + index)));
    for (const client of clients) await client.join(room);
    const [alice, ...others] = clients as [WsClient, ...WsClient[]];
    others.slice(0, 5).forEach(pauseReading);
    const text = 'x'.repeat(8000);
    const send = async (from: number, count: number) => {
      for (let sent = from; sent < from + count; sent += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, index) => alice.say(room, text, `b${sent + index}`)));
        // What the test has read is of no use here.
        for (const client of clients) client.frames.length = 0;
      }
    };
    await send(0, 500);
    const before = residentBytes(one);
    await send(500, 3500);
    const grown = residentBytes(one) - before;
    // Kept for the stalled five it would be 140 MB.
    assert.ok(grown < 80 * 1024 * 1024, `${Math.round(grown / 1024 / 1024)} MB`);
  });
});

/** RSS of a replica's process. */
function residentBytes(replica: Replica): number {
  const status = readFileSync(`/proc/${replica.process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function waitForConnections(replica: Replica, wanted: number): Promise<number> {
  const end = Date.now() + 20_000;
  for (;;) {
    const { connections } = (await (await fetch(`${replica.http}/api/health`)).json()) as { connections: number };
    if (connections === wanted || Date.now() > end) return connections;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
