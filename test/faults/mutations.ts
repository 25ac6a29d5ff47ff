// Ways to make a right history wrong at a random place. Each returns the room in which it did so, or undefined when the history has no
// such place; `breaks` is the invariant that must be reported, for that room.
import type { HistoryEvent, StoredEntry } from './history.ts';
import type { OpenHistory } from './random-histories.ts';

export type Pick = <T>(items: readonly T[]) => T | undefined;
type Delivered = Extract<HistoryEvent, { kind: 'delivered' }>;
type Acked = Extract<HistoryEvent, { kind: 'ack' }>;

interface Mutation {
  breaks: number;
  change: (history: OpenHistory, pick: Pick) => string | undefined;
}

const deliveries = ({ events }: OpenHistory) => events.filter((event): event is Delivered => event.kind === 'delivered');
const acks = ({ events }: OpenHistory) => events.filter((event): event is Acked => event.kind === 'ack');
const roomOf = ({ events }: OpenHistory, join: number) =>
  events.flatMap((event) => (event.kind === 'join' && event.join === join ? [event.room] : []))[0];
const rowOf = ({ stored }: OpenHistory, { room, seq }: { room: string; seq: number }) =>
  stored.find((entry) => entry.room === room && entry.seq === seq);
const replace = (history: OpenHistory, before: HistoryEvent, ...after: HistoryEvent[]) =>
  history.events.splice(history.events.indexOf(before), 1, ...after);

/** Deliveries with a later one in the same join: what is missing before something else is a hole. */
const followed = (history: OpenHistory) => {
  const all = deliveries(history);
  return all.flatMap((event, index) => {
    const next = all.slice(index + 1).find(({ join }) => join === event.join);
    return next ? [{ event, next }] : [];
  });
};

export const mutations: Record<string, Mutation> = {
  'an acked row is dropped': {
    breaks: 1,
    change: (history, pick) => {
      const ack = pick(acks(history));
      history.stored = history.stored.filter((entry) => !ack || entry.room !== ack.room || entry.seq !== ack.seq);
      return ack?.room;
    },
  },
  'an acked row is of somebody else': {
    breaks: 1,
    change: (history, pick) => {
      const ack = pick(acks(history));
      Object.assign((ack && rowOf(history, ack)) ?? {}, { sender: 99 });
      return ack?.room;
    },
  },
  'a message is stored once more': {
    breaks: 2,
    change: (history, pick) => {
      const row = pick(history.stored.filter(({ id }) => id !== null));
      if (!row) return undefined;
      const seq = history.stored.filter(({ room }) => room === row.room).length + 1;
      history.stored.push({ ...row, seq, entry: 'another' });
      return row.room;
    },
  },
  'a delivery is doubled': {
    breaks: 2,
    change: (history, pick) => {
      const event = pick(deliveries(history));
      if (event) replace(history, event, event, event);
      return event && roomOf(history, event.join);
    },
  },
  'two deliveries are swapped': {
    breaks: 3,
    change: (history, pick) => {
      const pair = pick(followed(history));
      if (!pair) return undefined;
      const [a, b] = [history.events.indexOf(pair.event), history.events.indexOf(pair.next)];
      [history.events[a], history.events[b]] = [pair.next, pair.event];
      return roomOf(history, pair.event.join);
    },
  },
  'one client sees another content': {
    breaks: 3,
    change: (history, pick) => {
      const event = pick(deliveries(history));
      if (event) replace(history, event, { ...event, content: 'something else' });
      return event && roomOf(history, event.join);
    },
  },
  'a delivery is dropped before another': {
    breaks: 4,
    change: (history, pick) => {
      const pair = pick(followed(history));
      if (pair) replace(history, pair.event);
      return pair && roomOf(history, pair.event.join);
    },
  },
  'the last deliveries of a socket that stays are dropped': {
    breaks: 4,
    change: (history, pick) => {
      const quiet = history.events.findIndex(({ kind }) => kind === 'quiet');
      const staying = new Set(history.events.slice(quiet).flatMap((event) => (event.kind === 'over' ? [event.join] : [])));
      const live = (event: Delivered) =>
        history.events.findIndex((other) => other.kind === 'joined' && other.join === event.join) < history.events.indexOf(event);
      const event = pick(deliveries(history).filter((each) => staying.has(each.join) && live(each)));
      if (!event) return undefined;
      history.events = history.events.filter((each) => each.kind !== 'delivered' || each.join !== event.join || each.seq < event.seq);
      return roomOf(history, event.join);
    },
  },
  'the database skips a seq': {
    breaks: 5,
    change: (history, pick) => {
      const row = pick(history.stored);
      for (const entry of history.stored) if (row && entry.room === row.room && entry.seq >= row.seq) entry.seq++;
      return row?.room;
    },
  },
  'a join stands before what was acked': {
    breaks: 6,
    change: (history, pick) => {
      const late = history.events.flatMap((event, index) => {
        if (event.kind !== 'joined') return [];
        const room = roomOf(history, event.join);
        const asked = history.events.findIndex((other) => other.kind === 'join' && other.join === event.join);
        const acked = history.events.slice(0, asked).flatMap((other) => (other.kind === 'ack' && other.room === room ? [other.seq] : []));
        return acked.length > 0 ? [{ index, event, head: Math.max(...acked) - 1 }] : [];
      });
      const one = pick(late);
      if (one) history.events[one.index] = { ...one.event, head: one.head };
      return one && roomOf(history, one.event.join);
    },
  },
  'a socket gets the removal of its own user': {
    breaks: 7,
    change: (history, pick) => {
      const removals = history.stored.filter(
        (entry): entry is StoredEntry & { member: { user: number } } => entry.member?.active === false,
      );
      const open = removals.flatMap((entry) => {
        const join = history.events.findLast(
          (event) => event.kind === 'join' && event.room === entry.room && event.user === entry.member.user,
        );
        const joined = join && history.events.find((event) => event.kind === 'joined' && 'join' in join && event.join === join.join);
        return joined?.kind === 'joined' && joined.head < entry.seq ? [{ entry, join: joined.join }] : [];
      });
      const one = pick(open);
      if (!one) return undefined;
      const { room, seq, entry, content, sender } = one.entry;
      const over = history.events.findIndex((event) => event.kind === 'over' && event.join === one.join);
      history.events.splice(over, 0, { kind: 'delivered', join: one.join, seq, entry, content, sender });
      return room;
    },
  },
  'a socket gets an entry after its end': {
    breaks: 7,
    change: (history, pick) => {
      const event = pick(deliveries(history));
      if (event) history.events.push(event);
      return event && roomOf(history, event.join);
    },
  },
  'a refused message is stored and never acked': {
    breaks: 9,
    change: (history, pick) => {
      const acked = pick(acks(history));
      if (!acked) return undefined;
      history.events = history.events.filter((event) => event.kind !== 'ack' || event.id !== acked.id);
      history.events.push({ kind: 'refused', user: acked.user, room: acked.room, id: acked.id, code: 'unavailable' });
      return acked.room;
    },
  },
  'an entry is never published': {
    breaks: 10,
    change: (history, pick) => {
      const row = pick(history.stored);
      history.published = history.published.filter(({ room, seq }) => !row || room !== row.room || seq !== row.seq);
      return row?.room;
    },
  },
  'two entries are published in the wrong order': {
    breaks: 10,
    change: (history, pick) => {
      const row = pick(history.stored.filter(({ seq }) => seq > 1));
      const first = (seq: number) => history.published.findIndex((event) => event.room === row?.room && event.seq === seq);
      if (!row) return undefined;
      const [a, b] = [first(row.seq - 1), first(row.seq)];
      [history.published[a], history.published[b]] = [history.published[b] as never, history.published[a] as never];
      return row.room;
    },
  },
};
