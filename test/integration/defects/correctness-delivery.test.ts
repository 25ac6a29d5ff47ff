// Defects of the older system, part 10.2 (correctness): who gets which frame. Each name begins with the number.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { WsClient } from '../../helpers/ws-client.ts';
import { startSystem, type Person, type System } from './system.ts';

let system: System;
before(async () => {
  system = await startSystem();
});
after(() => system?.stop());

const two = async (): Promise<[Person, Person]> => [await system.person('Ada'), await system.person('Bob')];
const count = (client: WsClient, type: string) => client.frames.filter((frame) => frame.type === type).length;

describe('correctness: delivery', { timeout: 240_000 }, () => {
  test('10.2.1 a closed socket ends: the user goes offline and the connections are counted down', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const one = await system.socket(ada, 0);
    await one.join(room);
    const other = await system.socket(bob, 1);
    await other.join(room);
    await one.next((frame) => frame.type === 'user_online' && frame['user_id'] === bob.id);
    await other.close();
    const offline = await one.next((frame) => frame.type === 'user_offline' && frame['user_id'] === bob.id);
    assert.ok(Date.now() - Date.parse(String(offline['last_seen'])) < 60_000);
    const health = await system.call('GET', '/api/health', { base: system.local.chatInstances[1]?.url ?? '' });
    assert.equal(health.body.connections, 0);

    // Sockets that have ended take no place of those that live.
    for (let index = 0; index < 12; index++) await (await system.socket(ada, 1)).close();
    assert.equal((await one.say(room, 'still here', randomUUID())).type, 'ack');
  });

  test('10.2.2 presence, new rooms and members reach sockets on the other replica', async () => {
    const [ada, bob] = await two();
    const [one, other] = [await system.socket(ada, 0), await system.socket(bob, 1)];
    const room = await system.direct(ada, bob);
    await other.next((frame) => frame.type === 'room_created' && frame['room_id'] === room);
    await one.join(room);
    await other.join(room);
    // In the list when Ada has joined after Bob was known, as a sign of its own otherwise.
    await one.next(
      (frame) =>
        frame['room_id'] === room &&
        ((frame.type === 'user_online' && frame['user_id'] === bob.id) ||
          (frame.type === 'room_presence' && (frame['online_users'] as number[]).includes(bob.id))),
    );
    const group = await system.group(ada);
    await one.join(group);
    await system.add(group, ada, bob);
    await one.next((frame) => frame.type === 'member_joined' && frame['room_id'] === group && frame['user_id'] === bob.id);
  });

  test('10.2.3 who types does not see it, on another replica neither', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const [one, tab, other] = [await system.socket(ada, 0), await system.socket(ada, 1), await system.socket(bob, 1)];
    for (const client of [one, tab, other]) await client.join(room);
    one.send({ type: 'typing', room_id: room, is_typing: true });
    await other.next((frame) => frame.type === 'typing' && frame['user_id'] === ada.id);
    assert.equal((await one.say(room, 'typed', randomUUID())).type, 'ack');
    for (const client of [one, tab]) {
      await client.next((frame) => frame.type === 'message' && frame['content'] === 'typed');
      assert.ok(client.frames.every((frame) => frame.type !== 'typing' || frame['user_id'] !== ada.id));
    }
  });

  test('10.2.4 an invitation comes once to each socket', async () => {
    const [ada, bob] = await two();
    const group = await system.group(ada);
    const sockets = [await system.socket(bob, 0), await system.socket(bob, 1)];
    await system.add(group, ada, bob);
    // What comes after it: had the first invitation come twice, the second time would be before this one.
    const next = await system.group(ada, bob);
    for (const client of sockets) {
      await client.next((frame) => frame.type === 'invitation_received' && frame['room_id'] === next);
      const first = client.frames.filter((frame) => frame.type === 'invitation_received' && frame['room_id'] === group);
      assert.equal(first.length, 1);
    }
  });

  test('10.2.5 what a socket missed while it was away is sent when it joins again', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const one = await system.socket(ada, 0);
    const away = await system.socket(bob, 1);
    const { seq } = await away.join(room);
    await away.close();
    for (const content of ['first', 'second']) assert.equal((await one.say(room, content, randomUUID())).type, 'ack');
    const back = await system.socket(bob, 0);
    const joined = await back.join(room, Number(seq));
    assert.equal(joined['recovered'], true);
    assert.deepEqual(
      back.messages(room).map(({ content }) => content),
      ['first', 'second'],
    );
  });

  test('10.2.11 a message shows a hidden room again and says so', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    assert.equal((await system.call('POST', `/api/rooms/${room}/hide`, { as: bob })).status, 204);
    const [one, other] = [await system.socket(ada, 0), await system.socket(bob, 1)];
    assert.equal((await one.say(room, 'come back', randomUUID())).type, 'ack');
    await other.next((frame) => frame['room_id'] === room && ['room_updated', 'room_created', 'room_changed'].includes(frame.type));
    const { body } = await system.call('GET', '/api/rooms', { as: bob });
    assert.deepEqual(
      body.rooms.map(({ id, is_hidden }) => [id, is_hidden]),
      [[room, false]],
    );
  });

  test('10.2.12 a client can be right: an echo names its message, a repeat is stored once, system entries say what they are', async () => {
    const [ada, bob] = await two();
    const room = await system.group(ada, bob);
    const one = await system.socket(ada, 0);
    await one.join(room);
    const [first, second] = [randomUUID(), randomUUID()];
    const ack = await one.say(room, 'once', first);
    await one.next((frame) => frame.type === 'message' && frame['client_msg_id'] === first);
    assert.equal((await one.say(room, 'other', second)).type, 'ack');
    // The connection breaks before the ack: the client sends again on a new one.
    const again = await (await system.socket(ada, 1)).say(room, 'once', first);
    assert.deepEqual([again['seq'], again['duplicate']], [ack['seq'], true]);
    const { body } = await system.call('GET', `/api/rooms/${room}/messages`, { as: bob });
    const kinds = body.messages.map((entry) => [entry.kind, entry.message_type]);
    assert.deepEqual(kinds.slice(0, 2), [
      ['message', 'text'],
      ['message', 'text'],
    ]);
    assert.deepEqual(kinds[2], ['system', 'system'], 'that Bob has joined');
    await system.call('POST', `/api/rooms/${room}/mark-read`, { as: bob });
    assert.equal((await system.call('GET', `/api/rooms/${room}`, { as: bob })).body.unread_count, 0);
  });

  test('10.2.13 one tab leaves a room, the other goes on', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const [stays, leaves, other] = [await system.socket(ada, 0), await system.socket(ada, 0), await system.socket(bob, 1)];
    for (const client of [stays, leaves]) await client.join(room);
    leaves.send({ type: 'leave_room', room_id: room });
    await leaves.next((frame) => frame.type === 'left');
    assert.equal((await other.say(room, 'for one tab', randomUUID())).type, 'ack');
    await stays.next((frame) => frame.type === 'message' && frame['content'] === 'for one tab');
    leaves.send({ type: 'ping' });
    await leaves.next((frame) => frame.type === 'pong');
    assert.equal(leaves.messages(room).length, 0);
  });

  test('10.2.16 a user has one budget of messages over all replicas and connections', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const sockets = await Promise.all([system.socket(ada, 0), system.socket(ada, 1)]);
    const started = performance.now();
    for (let index = 0; index < 60; index++)
      for (const client of sockets) client.send({ type: 'message', room_id: room, content: `${index}`, client_msg_id: randomUUID() });
    const answered = (client: WsClient) => count(client, 'ack') + count(client, 'rate_limit_exceeded');
    for (const client of sockets) await client.until(() => answered(client) === 60 || undefined);
    const seconds = (performance.now() - started) / 1000;
    const acked = sockets.reduce((sum, client) => sum + count(client, 'ack'), 0);
    const { burst, perSecond } = { burst: 20, perSecond: 5 };
    assert.ok(acked > 0 && acked <= burst * 1.5 + perSecond * seconds, `${acked} messages in ${seconds} s`);
  });

  test('10.2.18 a message in fragments is one message, and a binary frame does not end the socket without a reason', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const client = await system.socket(ada, 0);
    const text = JSON.stringify({ type: 'message', room_id: room, content: 'in three parts', client_msg_id: 'parts' });
    for (const [from, to] of [
      [0, 10],
      [10, 30],
      [30, undefined],
    ] as const)
      client.socket.send(text.slice(from, to), { fin: to === undefined });
    await client.next((frame) => frame.type === 'ack' && frame['client_msg_id'] === 'parts');
    client.socket.send(Buffer.from([1, 2, 3]), { binary: true });
    await client.next((frame) => frame.type === 'error' && frame['code'] === 'invalid_frame');
    assert.equal((await client.say(room, 'still open', randomUUID())).type, 'ack');
  });

  test('10.2.19 a socket that is replaced is told and closed', async () => {
    const ada = await system.person('Ada');
    const first = await system.socket(ada, 0);
    for (let index = 0; index < 10; index++) await system.socket(ada, 1);
    assert.equal((await first.waitClosed()).code, 4409);
    assert.equal(count(first, 'connection_replaced'), 1);
  });
});
