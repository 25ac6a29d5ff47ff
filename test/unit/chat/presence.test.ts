// Presence with a clock of its own: grace, crash, budget, Redis away.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLog } from '@parley/kit';
import { EVENT_BUDGET } from '../../../services/chat/src/presence/announcements.ts';
import { MemoryPresence } from '../../../services/chat/src/presence/memory-store.ts';
import { Presence } from '../../../services/chat/src/presence/presence.ts';
import { RoomPresence } from '../../../services/chat/src/presence/room-presence.ts';
import type { PresenceStore } from '../../../services/chat/src/presence/store.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'error' });

interface Told {
  by: string;
  roomId: string;
  type: string;
  userId: number | undefined;
  atMs: number;
}

class World {
  now = 1_000_000;
  readonly told: Told[] = [];
  readonly memory = new MemoryPresence(() => this.now);
  readonly presences = new Map<string, Presence>();
  away = false;
  readonly roomsOf: (userId: number) => string[];

  constructor(roomsOf: (userId: number) => string[] = () => ['r']) {
    this.roomsOf = roomsOf;
  }

  start(instance: string): Presence {
    const store = this.#breakable(this.memory.store(instance));
    const rooms = new RoomPresence({
      members: () => Promise.resolve('many'),
      memberIds: () => Promise.resolve(Array.from({ length: 2000 }, (_, index) => index + 1)),
      online: (userIds) => store.online(userIds),
      now: () => this.now,
    });
    const presence = new Presence({
      ...{ store, rooms, log, now: () => this.now, onEvents: () => {} },
      roomsOf: (userIds) => Promise.resolve(new Map(userIds.map((userId) => [userId, this.roomsOf(userId)]))),
      publishToRoom: (roomId, frames) => {
        for (const frame of frames as { type: string; user_id?: number }[]) {
          this.told.push({ by: instance, roomId, type: frame.type, userId: frame.user_id, atMs: this.now });
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
      for (const presence of this.presences.values()) await presence.tick();
    }
  }

  types(): string[] {
    return this.told.map(({ type }) => type);
  }

  #breakable(store: PresenceStore): PresenceStore {
    return new Proxy(store, {
      get: (target, name: keyof PresenceStore) =>
        this.away ? () => Promise.reject(new Error('away')) : (target[name] as () => unknown).bind(target),
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
    const start = world.now;
    for (let round = 0; round < seconds / 10; round++) {
      for (let userId = 1; userId <= 1000; userId++) presence.connected(userId, `user ${userId}`);
      await world.advance(2000);
      for (let userId = 1; userId <= 1000; userId++) presence.disconnected(userId);
      await world.advance(8000);
    }
    const events = world.told.filter(({ type }) => type !== 'room_presence').length;
    const counts = world.told.filter(({ type }) => type === 'room_presence');
    assert.ok(events <= EVENT_BUDGET.burst + (EVENT_BUDGET.perSecond * (world.now - start)) / 1000);
    assert.ok(counts.length >= 2 && counts.length <= seconds, `${counts.length} counts`);
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
