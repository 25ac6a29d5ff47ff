// The load generator against a small server that makes mistakes on purpose: each must be found and counted.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocketServer, type WebSocket } from 'ws';
import { compileGenerator, faultsIn, Generator, type LoadAnswer } from '../../load/generator.ts';

const ROOM = '01234567-89ab-7def-8123-456789abcdef';
const MEMBERS = 3;

interface Delivery {
  seq: number;
  room_id: string;
  content: string;
}
/** Changes what one member gets. */
type Mistake = (frames: Delivery[]) => Delivery[];

class WrongServer {
  mistake: Mistake = (frames) => frames;
  readonly #server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  readonly #sockets: WebSocket[] = [];
  #seq = 0;
  #held: Delivery[] = [];

  async start(): Promise<number> {
    this.#server.on('connection', (socket) => {
      this.#sockets.push(socket);
      socket.send('{"type":"welcome"}');
      socket.on('message', (data: Buffer) => this.#receive(socket, JSON.parse(data.toString()) as Record<string, string>));
    });
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  reset(mistake: Mistake): void {
    this.mistake = mistake;
    this.#sockets.length = 0;
    this.#seq = 0;
    this.#held = [];
  }

  stop(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #receive(socket: WebSocket, frame: Record<string, string>): void {
    if (frame['type'] === 'join_room') return socket.send(`{"type":"joined","room_id":"${ROOM}","seq":0}`);
    const seq = ++this.#seq;
    socket.send(JSON.stringify({ type: 'ack', client_msg_id: frame['client_msg_id'], room_id: ROOM, seq }));
    // Pairs of messages, so that a mistake has something to swap or to drop in between.
    this.#held.push({ seq, room_id: ROOM, content: frame['content'] ?? '' });
    if (this.#held.length < 2) return;
    const frames = this.#held.splice(0);
    this.#sockets.forEach((each, index) => {
      const own = index === 0 ? this.mistake(structuredClone(frames)) : frames;
      for (const delivery of own) each.send(JSON.stringify({ type: 'message', ...delivery }));
    });
  }
}

const compiler = spawnSync('cc', ['--version']).status === 0;

describe('load generator', { skip: compiler ? false : 'there is no C compiler' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-generator-'));
  const server = new WrongServer();
  let program = '';
  let port = 0;
  before(async () => {
    program = compileGenerator(folder);
    port = await server.start();
  });
  after(() => {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** 20 messages into one room of three. */
  async function run(mistake: Mistake): Promise<LoadAnswer> {
    server.reset(mistake);
    const setup = { port, sendersPerRoom: 1, roomIds: [ROOM], members: MEMBERS, tokens: ['a', 'b', 'c'], watch: { server: process.pid } };
    const generator = new Generator(program, folder, setup);
    try {
      assert.equal((await generator.connect(1, MEMBERS)).reached, MEMBERS);
      assert.equal((await generator.join(1)).reached, MEMBERS);
      return await generator.open(100, { warm: 0, window: 0.2 });
    } finally {
      await generator.stop();
    }
  }

  it('counts every message and delivery, with latency and CPU time', async () => {
    const answer = await run((frames) => frames);
    assert.equal(faultsIn(answer), 0, answer.problem);
    assert.deepEqual([answer.sent, answer.acked, answer.delivered], [20, 20, 60]);
    assert.equal(
      answer.delivery.reduce((sum, [, count]) => sum + count, 0),
      60,
    );
    assert.ok((answer.cpu['server'] ?? 0) > 0 && (answer.cpu['generator'] ?? 0) > 0);
  });

  const once20 = (change: Mistake): Mistake => {
    let done = false;
    return (frames) => {
      if (done) return frames;
      done = true;
      return change(frames);
    };
  };

  it('finds a doubled delivery', async () => {
    const { duplicated, lost } = await run(once20(([first, second]) => [first, first, second] as Delivery[]));
    assert.deepEqual([duplicated, lost], [1, 0]);
  });
  it('finds deliveries in the wrong order, and does not call them lost', async () => {
    const { misordered, lost } = await run(once20((frames) => frames.reverse()));
    assert.deepEqual([misordered, lost], [1, 0]);
  });
  it('finds content that differs between members', async () => {
    const { disagreed } = await run(
      once20((frames) => frames.map((each) => ({ ...each, content: each.content.replace(/n.{8}/, 'n000000ff') }))),
    );
    assert.ok(disagreed >= 2, String(disagreed));
  });
  it('finds a delivery of another room', async () => {
    const elsewhere = ROOM.replace('0', 'f');
    const { wrong_room, lost } = await run(once20(([first, second]) => [{ ...first, room_id: elsewhere }, second] as Delivery[]));
    assert.deepEqual([wrong_room, lost], [1, 1]);
  });
  it('finds a lost delivery, and gives it the worst latency', { timeout: 30_000 }, async () => {
    const answer = await run((frames) => (frames[0]?.seq === 19 ? [] : frames));
    assert.equal(answer.lost, 2);
    assert.equal(answer.delivered, 58);
  });
});
