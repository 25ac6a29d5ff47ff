// Right histories at random, from a small system that keeps all promises: members come and go, sockets drop and resume, answers are
// lost and messages repeated, delivery lags behind the commits, events are published more than once.
import { fc } from '../helpers/seed.ts';
import type { History, HistoryEvent, StoredEntry } from './history.ts';

const ROOMS = ['red', 'blue'] as const;
const USERS = [1, 2, 3, 4] as const;
export type Room = (typeof ROOMS)[number];

/** Lists that a planted fault may change. */
export interface OpenHistory extends History {
  events: HistoryEvent[];
  stored: StoredEntry[];
  published: { room: string; seq: number }[];
  samples: { name: string; value: number; max: number }[];
}

const room = fc.constantFrom(...ROOMS);
const user = fc.constantFrom(...USERS);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('say' as const), user, room, fate: fc.constantFrom('acked', 'acked', 'ack lost', 'refused') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('join' as const), user, room, back: fc.option(fc.nat(3), { nil: undefined, freq: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), user, room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('member' as const), user, room }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), user, room, count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('publish' as const), room, count: fc.integer({ min: 1, max: 4 }), again: fc.nat(2) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

export const rightHistories: fc.Arbitrary<OpenHistory> = fc.array(step, { minLength: 10, maxLength: 80 }).map(playHistory);

interface Live {
  join: number;
  last: number;
}

class SmallSystem {
  readonly events: HistoryEvent[] = [];
  readonly stored: StoredEntry[] = [];
  readonly published: { room: string; seq: number }[] = [];
  readonly #logs = new Map<Room, StoredEntry[]>(ROOMS.map((name) => [name, []]));
  readonly #members = new Map<Room, Set<number>>(ROOMS.map((name) => [name, new Set([1, 2, 3])]));
  readonly #live = new Map<string, Live>();
  readonly #known = new Map<string, number>();
  readonly #unacked: { user: number; entry: StoredEntry }[] = [];
  readonly #relayed = new Map<Room, number>();
  #joins = 0;
  #messages = 0;

  take(one: Step): void {
    switch (one.do) {
      case 'say':
        return this.#say(one.user, one.room, one.fate);
      case 'join':
        return this.#join(one.user, one.room, one.back);
      case 'drop':
        return this.#over(one.user, one.room);
      case 'member':
        return this.#change(one.user, one.room);
      case 'deliver':
        return this.#deliver(one.user, one.room, one.count);
      case 'publish':
        this.#publish(one.room, one.count, one.again);
    }
  }

  end(): void {
    for (const { user: sender, entry } of this.#unacked) this.#ack(sender, entry);
    for (const name of ROOMS) {
      for (const one of USERS) this.#deliver(one, name, Infinity);
      this.#publish(name, Infinity, 0);
    }
    this.events.push({ kind: 'quiet' });
    for (const name of ROOMS) for (const one of USERS) this.#over(one, name);
  }

  #log(name: Room): StoredEntry[] {
    return this.#logs.get(name) as StoredEntry[];
  }

  #append(name: Room, entry: Pick<StoredEntry, 'sender' | 'id' | 'content' | 'member'>): StoredEntry {
    const seq = this.#log(name).length + 1;
    const stored = { room: name, seq, entry: `${name} ${seq}`, ...entry };
    this.#log(name).push(stored);
    this.stored.push(stored);
    return stored;
  }

  #say(sender: number, name: Room, fate: string): void {
    const id = `m${++this.#messages}`;
    const content = `text of ${id}`;
    this.events.push({ kind: 'sent', user: sender, room: name, id, content });
    const code = !this.#members.get(name)?.has(sender) ? 'not_a_member' : fate === 'refused' ? 'unavailable' : undefined;
    if (code !== undefined) return void this.events.push({ kind: 'refused', user: sender, room: name, id, code });
    const entry = this.#append(name, { sender, id, content, member: undefined });
    if (fate === 'acked') return this.#ack(sender, entry);
    // The outcome was unknown: the client is told so, and sends it again later.
    this.events.push({ kind: 'refused', user: sender, room: name, id, code: 'unavailable' });
    this.#unacked.push({ user: sender, entry });
  }

  #ack(sender: number, { room: name, id, seq, entry }: StoredEntry): void {
    this.events.push({ kind: 'ack', user: sender, room: name, id: id ?? '', seq, entry });
  }

  #join(one: number, name: Room, back: number | undefined): void {
    if (!this.#members.get(name)?.has(one)) return;
    this.#over(one, name);
    const log = this.#log(name);
    const known = this.#known.get(`${one}/${name}`) ?? 0;
    const afterSeq = back === undefined ? undefined : Math.max(0, known - back);
    const join = ++this.#joins;
    this.events.push({ kind: 'join', join, user: one, room: name, afterSeq });
    const replay = afterSeq === undefined ? [] : log.slice(afterSeq);
    for (const entry of replay) this.events.push(delivered(join, entry));
    this.events.push({ kind: 'joined', join, head: log.length, recovered: true, replayedFrom: replay[0]?.seq });
    this.#known.set(`${one}/${name}`, log.length);
    this.#live.set(`${one}/${name}`, { join, last: log.length });
  }

  #over(one: number, name: Room): void {
    const live = this.#live.get(`${one}/${name}`);
    this.#live.delete(`${one}/${name}`);
    if (live) this.events.push({ kind: 'over', join: live.join });
  }

  #change(one: number, name: Room): void {
    const members = this.#members.get(name) as Set<number>;
    const active = !members.has(one);
    if (active) members.add(one);
    else members.delete(one);
    this.#append(name, { sender: 1, id: null, content: 'members changed', member: { user: one, active } });
  }

  #deliver(one: number, name: Room, count: number): void {
    const live = this.#live.get(`${one}/${name}`);
    if (!live) return;
    for (const entry of this.#log(name).slice(live.last, live.last + count)) {
      // The socket is out when the turn of its own removal has come.
      if (entry.member?.user === one && !entry.member.active) return this.#over(one, name);
      this.events.push(delivered(live.join, entry));
      live.last = entry.seq;
      this.#known.set(`${one}/${name}`, entry.seq);
    }
  }

  #publish(name: Room, count: number, again: number): void {
    const from = Math.max(0, (this.#relayed.get(name) ?? 0) - again);
    const part = this.#log(name).slice(from, (this.#relayed.get(name) ?? 0) + count);
    for (const { seq } of part) this.published.push({ room: name, seq });
    this.#relayed.set(name, Math.max(this.#relayed.get(name) ?? 0, part.at(-1)?.seq ?? 0));
  }
}

function delivered(join: number, { seq, entry, content, sender }: StoredEntry): HistoryEvent {
  return { kind: 'delivered', join, seq, entry, content, sender };
}

function playHistory(steps: readonly Step[]): OpenHistory {
  const system = new SmallSystem();
  for (const one of steps) system.take(one);
  system.end();
  const { events, stored, published } = system;
  return {
    events,
    stored: stored.map((entry) => ({ ...entry })),
    published,
    samples: [],
    members: new Map(ROOMS.map((name) => [name, [1, 2, 3]])),
  };
}
