// Sockets that are asked to move while their replica goes on: some of them, or those of one proxy.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { eventually } from '../../helpers/eventually.ts';

const SOCKETS = 20;

describe('moving sockets', () => {
  let cluster: ChatCluster;
  let one: Replica;
  const open: { socket: WebSocket; told: { reason: string }[] }[] = [];

  const ask = async (body: unknown): Promise<{ status: number; moving?: number; error?: string }> => {
    const response = await fetch(`${one.adminUrl}/reconnect`, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, ...((await response.json()) as { moving?: number }) };
  };
  /** Sockets that come from an address, as through a proxy that has it. */
  const connect = async (localAddress: string) => {
    const socket = new WebSocket(`${one.url}?token=${await cluster.issuer.token(1)}`, { localAddress });
    const entry = { socket, told: [] as { reason: string }[] };
    const welcome = once(socket, 'message');
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { type: string; reason: string };
      if (frame.type === 'reconnect') entry.told.push(frame);
    });
    await welcome;
    open.push(entry);
    return entry;
  };
  const toldOf = (entries: typeof open) => entries.filter(({ told }) => told.length > 0);

  before(async () => {
    cluster = await startChatCluster(1);
    one = cluster.replicas[0] as Replica;
  });
  after(async () => {
    for (const { socket } of open) socket.terminate();
    await cluster.stop();
  });

  test('so many as were asked for, once each, with the reason rebalance', async () => {
    for (let index = 0; index < SOCKETS; index++) await connect('127.0.0.1');
    assert.deepEqual(await ask({ count: 5 }), { status: 200, moving: 5 });
    await eventually('five are told', () => toldOf(open).length === 5);
    assert.deepEqual(await ask({ count: SOCKETS }), { status: 200, moving: SOCKETS - 5 });
    await eventually('all are told', () => toldOf(open).length === SOCKETS);
    assert.ok(open.every(({ told }) => told.length === 1 && told[0]?.reason === 'rebalance'));
    assert.deepEqual(await ask({ count: 1 }), { status: 200, moving: 0 });
  });

  test('those of one proxy, and nobody else', async () => {
    const [leaving, staying] = [await connect('127.0.0.2'), await connect('127.0.0.3')];
    assert.deepEqual(await ask({ via: '::ffff:127.0.0.2' }), { status: 200, moving: 1 });
    await eventually('it is told', () => leaving.told.length === 1);
    assert.equal(leaving.told[0]?.reason, 'drain');
    assert.equal(staying.told.length, 0);
    // The replica itself does not drain.
    assert.equal((await fetch(`${one.adminUrl}/readyz`)).status, 200);
  });

  test('what is not understood is refused with a reason, and nothing moves', async () => {
    for (const body of [{}, { count: 0 }, { count: 'all' }, { via: 1 }, { everything: true }, null]) {
      const { status, error } = await ask(body);
      assert.equal(status, 400, JSON.stringify(body));
      assert.ok(error);
    }
    assert.equal((await fetch(`${one.adminUrl}/reconnect`)).status, 405);
    assert.equal((await fetch(`${one.adminUrl}/reconnect`, { method: 'POST', body: 'x'.repeat(20_000) })).status, 413);
  });
});
