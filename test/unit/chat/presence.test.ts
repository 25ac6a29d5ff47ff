// Presence with a clock of its own: grace, crash, budget, Redis away.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createLog } from '@parley/kit/process';
import { Announcements } from '../../../services/chat/src/presence/announcements.ts';
import { MemoryPresence } from '../../../services/chat/src/presence/memory-store.ts';
import { Presence } from '../../../services/chat/src/presence/presence.ts';
import { News } from '../../../services/chat/src/presence/news.ts';
import { RoomPresence } from '../../../services/chat/src/presence/room-presence.ts';
import type { PresenceStore } from '../../../services/chat/src/presence/store.ts';
import { Teller } from '../../../services/chat/src/presence/teller.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'error' });

/** What spec and documentation promise; not the constant of the code, which a test could not see change. */
const EVENTS_PER_SECOND = 200;

interface Told {
  by: string;
  roomId: string;
  type: string;
  userId: number | undefined;
  count: number | undefined;
  atMs: number;
}

class World {
  now = 1_000_000;
  told: Told[] = [];
  readonly memory = new MemoryPresence(() => this.now);
  readonly presences = new Map<string, Presence>();
  away = false;
  databaseAway = false;
  databaseHangs = false;
  /** commands are carried out, and nobody hears of it */
  lostAnswers = false;
  /** the store takes its time for a beat */
  slow = false;
  /** instances that find Redis again later than the others */
  readonly late = new Set<string>();
  readonly roomsOf: (userId: number) => string[];

  constructor(roomsOf: (userId: number) => string[] = () => ['r']) {
    this.roomsOf = roomsOf;
  }

  start(instance: string): Presence {
    const store = this.#breakable(this.memory.store(instance), instance);
    const rooms = new RoomPresence({
      members: () => Promise.resolve('many'),
      memberIds: () => Promise.resolve(Array.from({ length: 2000 }, (_, index) => index + 1)),
      online: (userIds) => store.online(userIds),
      now: () => this.now,
    });
    const presence = new Presence({
      ...{ store, rooms, log, now: () => this.now, onEvents: () => {} },
      roomsOf: (userIds) => {
        if (this.databaseHangs) return new Promise(() => {});
        if (this.databaseAway) return Promise.reject(new Error('away'));
        return Promise.resolve(new Map(userIds.map((userId) => [userId, this.roomsOf(userId)])));
      },
      publishToRoom: (roomId, frames) => {
        for (const frame of frames as { type: string; user_id?: number; online_count?: number }[]) {
          const { type, user_id: userId, online_count: count } = frame;
          this.told.push({ by: instance, roomId, type, userId, count, atMs: this.now });
        }
      },
    });
    this.presences.set(instance, presence);
    return presence;
  }

  /** Ticks of all instances that live. */
  async advance(ms: number): Promise<void> {
    for (let elapsed = 0; elapsed < ms; elapsed += 250) {
      this.now += 250;
      for (const presence of this.presences.values()) {
        const tick = presence.tick();
        await (this.databaseHangs ? setImmediate() : tick);
      }
    }
  }

  types(): string[] {
    return this.told.map(({ type }) => type);
  }

  #breakable(store: PresenceStore, instance: string): PresenceStore {
    return new Proxy(store, {
      get: (target, name: keyof PresenceStore) => {
        if (this.away || this.late.has(instance)) return () => Promise.reject(new Error('away'));
        if (this.lostAnswers)
          return (...args: never[]) => (target[name] as (...all: never[]) => unknown)(...args) && Promise.reject(new Error('late'));
        if (this.slow && name === 'beat') return () => setImmediate().then(() => target.beat());
        return (target[name] as () => unknown).bind(target);
      },
    });
  }
}

describe('presence', () => {
  test('online with the first socket anywhere, offline some seconds after the last one is gone, once each', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    await world.advance(250);
    a.connected(1, 'alice');
    await world.advance(500);
    b.connected(1, 'alice');
    await world.advance(500);
    a.disconnected(1);
    await world.advance(10_000);
    assert.deepEqual(world.types(), ['user_online']);
    const left = world.now;
    b.disconnected(1);
    await world.advance(10_000);
    assert.deepEqual(world.types(), ['user_online', 'user_offline']);
    const delay = (world.told.at(-1)?.atMs ?? 0) - left;
    assert.ok(delay >= 5000 && delay <= 5500, `${delay} ms`);
  });

  test('a reconnect within the grace is no news, on the same replica or on another one', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    a.connected(1, 'alice');
    await world.advance(1000);
    a.disconnected(1);
    await world.advance(3000);
    a.connected(1, 'alice');
    await world.advance(10_000);
    a.disconnected(1);
    await world.advance(3000);
    b.connected(1, 'alice');
    await world.advance(20_000);
    assert.deepEqual(world.types(), ['user_online']);
  });

  test('a crash leaves nobody online for more than 20 s, and one replica tells of it', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    world.start('c');
    a.connected(1, 'alice');
    a.connected(2, 'bob');
    b.connected(2, 'bob');
    await world.advance(6000);
    world.presences.delete('a');
    const crashed = world.now;
    await world.advance(30_000);
    const offline = world.told.filter(({ type }) => type === 'user_offline');
    assert.deepEqual(
      offline.map(({ userId }) => userId),
      [1],
    );
    assert.ok((offline[0]?.atMs ?? 0) - crashed <= 20_000, `${(offline[0]?.atMs ?? 0) - crashed} ms`);
  });

  test('1,000 users flapping in one room stay inside the budget, and the room gets counts', async () => {
    const world = new World();
    const presence = world.start('a');
    await world.advance(250);
    const seconds = 20;
    for (let round = 0; round < seconds / 10; round++) {
      for (let userId = 1; userId <= 1000; userId++) presence.connected(userId, `user ${userId}`);
      await world.advance(2000);
      for (let userId = 1; userId <= 1000; userId++) presence.disconnected(userId);
      await world.advance(8000);
    }
    const events = world.told.filter(({ type }) => type !== 'room_presence').map(({ atMs }) => atMs);
    for (const from of events) {
      const inSecond = events.filter((atMs) => atMs >= from && atMs < from + 1000).length;
      assert.ok(inSecond <= EVENTS_PER_SECOND, `${inSecond} events in a second`);
    }
    const counts = world.told.filter(({ type }) => type === 'room_presence').length;
    assert.ok(counts >= 2 && counts <= seconds, `${counts} counts`);
  });

  test('few changes are told one by one, and the budget comes back', async () => {
    const world = new World();
    const presence = world.start('a');
    await world.advance(250);
    for (let second = 0; second < 5; second++) {
      for (let userId = 1; userId <= 200; userId++) presence.connected(second * 200 + userId, 'user');
      await world.advance(1000);
    }
    assert.equal(world.types().filter((type) => type === 'user_online').length, 1000);
  });

  test('the last count a room is told is the right one', async () => {
    const world = new World();
    const presence = world.start('a');
    await world.advance(250);
    for (let userId = 1; userId <= 1000; userId++) presence.connected(userId, 'user');
    await world.advance(1000);
    for (let userId = 1; userId <= 700; userId++) presence.disconnected(userId);
    await world.advance(4500);
    // This answer is kept for a while; it must not be told after the departures.
    assert.equal((await presence.ofRoom('r', 1)).online_count, 1000);
    await world.advance(12_000);
    assert.equal(world.told.findLast(({ type }) => type === 'room_presence')?.count, 300);
  });

  test('Redis away: silence; on its return the users are in the list again and nobody was told otherwise', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    a.connected(1, 'alice');
    await world.advance(6000);
    world.away = true;
    await world.advance(10_000);
    a.connected(2, 'bob');
    world.away = false;
    await world.advance(6000);
    assert.deepEqual(
      world.told.map(({ type, userId }) => [type, userId]),
      [
        ['user_online', 1],
        ['user_online', 2],
      ],
    );
    assert.deepEqual((await b.ofRoom('r', 1)).online_count, 2);
  });

  test('Redis away for longer than the leases, then found again by one replica after the other: nobody is told anything', async () => {
    const world = new World();
    const presences = ['a', 'b', 'c'].map((instance) => world.start(instance));
    for (const [index, presence] of presences.entries()) presence.connected(index + 1, 'user');
    await world.advance(6000);
    assert.deepEqual(world.types(), ['user_online', 'user_online', 'user_online']);
    world.told = [];
    world.away = true;
    await world.advance(40_000);
    for (const instance of ['b', 'c']) world.late.add(instance);
    world.away = false;
    await world.advance(2000);
    world.late.delete('b');
    await world.advance(2000);
    world.late.delete('c');
    await world.advance(30_000);
    assert.deepEqual(world.types(), []);
    assert.deepEqual((await presences[0]?.ofRoom('r', 1))?.online_count, 3);
  });

  test('Redis carries out a command late whose caller had given up: the list is written again', async () => {
    const world = new World();
    const a = world.start('a');
    world.start('b');
    a.connected(1, 'alice');
    await world.advance(1000);
    a.disconnected(1);
    await world.advance(4500);
    world.lostAnswers = true;
    await world.advance(1000);
    a.connected(1, 'alice');
    await world.advance(500);
    world.lostAnswers = false;
    await world.advance(500);
    assert.deepEqual([...(await world.memory.store('b').online([1]))], [1]);
    await world.advance(20_000);
    assert.deepEqual(world.types(), ['user_online']);
  });

  test('Redis loses its data: the lists are written again, and nobody is told anything', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    a.connected(1, 'alice');
    b.connected(2, 'bob');
    await world.advance(6000);
    world.told = [];
    world.memory.forget();
    a.connected(3, 'carol');
    await world.advance(20_000);
    assert.deepEqual(
      world.told.map(({ type, userId }) => [type, userId]),
      [['user_online', 3]],
    );
    assert.deepEqual((await b.ofRoom('r', 1)).online_count, 3);
  });

  test('the database away: the lease goes on, and what is still true is told afterwards', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    a.connected(1, 'alice');
    b.connected(2, 'bob');
    await world.advance(1000);
    world.told = [];
    world.databaseAway = true;
    a.connected(3, 'carol');
    a.connected(4, 'dave');
    await world.advance(1000);
    a.disconnected(1);
    a.disconnected(4);
    await world.advance(60_000);
    assert.deepEqual(world.types(), []);
    world.databaseAway = false;
    await world.advance(1000);
    assert.deepEqual(
      world.told.map(({ type, userId }) => [type, userId]),
      [
        ['user_online', 3],
        ['user_offline', 1],
      ],
    );
  });

  test('a database that does not answer holds up the telling of one replica, and not its lease', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    a.connected(1, 'alice');
    await world.advance(1000);
    world.told = [];
    world.databaseHangs = true;
    a.connected(2, 'bob');
    await world.advance(60_000);
    assert.deepEqual((await b.ofRoom('r', 1)).online_count, 2);
    assert.deepEqual(world.types(), []);
  });

  test('a replica that closes in order: another one tells of those who do not come back, and of nobody else', async () => {
    const world = new World();
    const [a, b] = [world.start('a'), world.start('b')];
    a.connected(1, 'alice');
    a.connected(2, 'bob');
    await world.advance(10_000);
    world.told = [];
    // A beat is under way; it must not give the lease its full length again.
    world.slow = true;
    world.now += 250;
    await Promise.all([a.tick(), a.close()]);
    world.slow = false;
    world.presences.delete('a');
    const closed = world.now;
    b.connected(2, 'bob');
    await world.advance(30_000);
    assert.deepEqual(
      world.told.map(({ by, type, userId }) => [by, type, userId]),
      [['b', 'user_offline', 1]],
    );
    assert.ok((world.told[0]?.atMs ?? 0) - closed <= 10_500, `${(world.told[0]?.atMs ?? 0) - closed} ms`);
  });

  test('a frozen replica that others gave up tells of its users again when it goes on', async () => {
    const world = new World();
    const a = world.start('a');
    world.start('b');
    a.connected(1, 'alice');
    await world.advance(6000);
    world.presences.delete('a');
    await world.advance(25_000);
    world.presences.set('a', a);
    await world.advance(6000);
    assert.deepEqual(world.types(), ['user_online', 'user_offline', 'user_online']);
  });
});

test('news that is not true any more when it is told is told to nobody', async () => {
  const news = new News();
  const told: object[] = [];
  const online = new Set([2, 4]);
  const teller = new Teller({
    news,
    store: { online: (userIds: readonly number[]) => Promise.resolve(new Set(userIds.filter((id) => online.has(id)))) } as PresenceStore,
    rooms: {} as RoomPresence,
    isHere: (userId) => userId === 5,
    roomsOf: (userIds) => Promise.resolve(new Map(userIds.map((userId) => [userId, ['r']]))),
    publishToRoom: (_, frames) => void told.push(...frames),
    ...{ now: () => 0, onEvents: () => {} },
  });
  const change = (userId: number, lastSeenMs: number | undefined) => ({ userId, name: 'n', lastSeenMs });
  // 1 came and went on another replica, 2 went and came back there, 5 is back here; 3 is gone and 4 is there.
  news.add([change(1, undefined), change(2, 7), change(5, 7), change(3, 7), change(4, undefined)]);
  await teller.tell();
  const heard = (told as { type: string; user_id: number }[]).map(({ type, user_id }) => [type, user_id]);
  assert.deepEqual(heard, [
    ['user_offline', 3],
    ['user_online', 4],
  ]);
});

test('200 events a second and not one more; the room that is left out waits for its count', () => {
  const announcements = new Announcements();
  const changes = Array.from({ length: 201 }, (_, index) => ({ userId: index, name: 'n', lastSeenMs: undefined }));
  const roomsOf = new Map(changes.map(({ userId }) => [userId, [`r${userId}`]]));
  const plan = announcements.plan(changes, roomsOf, 5000);
  assert.deepEqual([plan.sent, plan.suppressed, announcements.takeDue(5000)], [EVENTS_PER_SECOND, 1, [['r200', 5000]]]);
  assert.equal(announcements.plan(changes.slice(0, 1), roomsOf, 5999).sent, 0);
  assert.equal(announcements.plan(changes.slice(0, 1), roomsOf, 6000).sent, 1);
});
