// A replica that is emptied while its process goes on: not ready, no new sockets, those that are open asked once each and ended when they do
// not go; and what happens when that is undone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import { eventually } from '../../helpers/eventually.ts';

interface Told {
  type: string;
  reason?: string;
}

describe('emptying a replica', () => {
  let cluster: ChatCluster;
  let one: Replica;
  let open: { socket: WebSocket; told: Told[]; closed: Promise<number> }[] = [];

  const ask = async (body: unknown): Promise<number> =>
    (await fetch(`${one.adminUrl}/drain`, { method: 'POST', body: JSON.stringify(body) })).status;
  const answer = async () =>
    (await (await fetch(`${one.adminUrl}/connections`)).json()) as { connections: number; draining: boolean; asked: boolean };
  const readyz = async () => (await fetch(`${one.adminUrl}/readyz`)).status;
  const connect = async () => {
    const socket = new WebSocket(`${one.url}?token=${await cluster.issuer.token(1)}`);
    const told: Told[] = [];
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Told;
      if (frame.type === 'reconnect') told.push(frame);
    });
    await once(socket, 'message');
    open.push({ socket, told, closed });
  };
  const refused = async (): Promise<number> => {
    const socket = new WebSocket(`${one.url}?token=${await cluster.issuer.token(1)}`);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    return response.statusCode;
  };

  before(async () => {
    cluster = await startChatCluster(1);
    one = cluster.replicas[0] as Replica;
  });
  after(() => cluster?.stop());
  afterEach(async () => {
    for (const { socket } of open) socket.terminate();
    open = [];
    await ask({ drain: false });
    await eventually('all are gone', async () => (await answer()).connections === 0);
  });

  test('everybody is asked once, nobody new comes in, and the replica says that it was asked', async () => {
    for (let index = 0; index < 10; index++) await connect();
    assert.deepEqual([await readyz(), (await answer()).asked], [200, false]);
    assert.equal(await ask({ drain: true }), 200);
    assert.equal(await readyz(), 503);
    assert.equal(await refused(), 503);
    await eventually('all are told', () => open.every(({ told }) => told.length === 1));
    assert.ok(open.every(({ told }) => told[0]?.reason === 'drain'));
    assert.equal(await ask({ drain: true }), 200, 'the same again');
    for (const { socket } of open) socket.close();
    await eventually('all are gone', async () => (await answer()).connections === 0);
    assert.deepEqual(await answer(), { ...(await answer()), connections: 0, draining: true, asked: true });
    assert.ok(open.every(({ told }) => told.length === 1));
  });

  test('who does not go is ended with 1012 at the end of the window', async () => {
    for (let index = 0; index < 3; index++) await connect();
    await ask({ drain: true });
    assert.deepEqual(await Promise.all(open.map(({ closed }) => closed)), [1012, 1012, 1012]);
    assert.ok(open.every(({ told }) => told.length === 1));
  });

  test('undone: it takes sockets again, and those that stayed stay', async () => {
    await connect();
    await ask({ drain: true });
    await eventually('the first is told', () => open[0]?.told.length === 1);
    assert.equal(await ask({ drain: false }), 200);
    assert.equal(await readyz(), 200);
    await connect();
    const { connections, draining, asked } = await answer();
    assert.deepEqual({ connections, draining, asked }, { connections: 2, draining: false, asked: false });
    for (const body of [{}, { drain: 'yes' }, { drain: true, more: 1 }, null]) assert.equal(await ask(body), 400, JSON.stringify(body));
    assert.equal(await readyz(), 200);
  });
});
