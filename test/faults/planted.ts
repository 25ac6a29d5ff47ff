// A right history, made by a small model of the system, and one planted fault for each way in which it could be wrong.
import type { History, HistoryEvent, StoredEntry } from './history.ts';

type Mutable = { -readonly [Field in keyof History]: History[Field] extends readonly (infer Item)[] ? Item[] : History[Field] };

const ROOM = 'room';

/** Two members chat; carol is removed in the middle; bob drops out and resumes. `seed` varies who says how much. */
export function rightHistory(seed: number): Mutable {
  const events: HistoryEvent[] = [];
  const stored: StoredEntry[] = [];
  let joins = 0;
  const live = new Map<number, { join: number; user: number }>();
  const deliver = (entry: StoredEntry) => {
    for (const [, { join }] of live) events.push({ kind: 'delivered', join, ...at(entry) });
  };
  const at = ({ seq, entry, content, sender }: StoredEntry) => ({ seq, entry, content, sender });
  const append = (sender: number, content: string, more: Pick<StoredEntry, 'id' | 'member'>) => {
    const entry: StoredEntry = { room: ROOM, seq: stored.length + 1, entry: `e${stored.length + 1}`, sender, content, ...more };
    stored.push(entry);
    return entry;
  };
  const join = (user: number, afterSeq: number | undefined) => {
    const number = ++joins;
    events.push({ kind: 'join', join: number, user, room: ROOM, afterSeq });
    const replay = afterSeq === undefined ? [] : stored.slice(afterSeq);
    for (const entry of replay) events.push({ kind: 'delivered', join: number, ...at(entry) });
    const replayedFrom = replay[0]?.seq;
    events.push({ kind: 'joined', join: number, head: stored.length, recovered: true, replayedFrom });
    live.set(user, { join: number, user });
  };
  const drop = (user: number) => {
    events.push({ kind: 'over', join: live.get(user)?.join ?? 0 });
    live.delete(user);
  };
  const say = (user: number) => {
    const id = `m${stored.length + 1}`;
    const content = `text ${id}`;
    events.push({ kind: 'sent', user, room: ROOM, id, content });
    const entry = append(user, content, { id, member: undefined });
    deliver(entry);
    events.push({ kind: 'ack', user, room: ROOM, id, seq: entry.seq, entry: entry.entry });
  };
  for (const user of [1, 2, 3]) join(user, undefined);
  const count = 3 + (seed % 5);
  for (let index = 0; index < count; index++) say(1 + ((seed + index) % 3));
  drop(2);
  for (let index = 0; index < count; index++) say(1);
  drop(3);
  deliver(append(1, 'carol was removed', { id: null, member: { user: 3, active: false } }));
  events.push({ kind: 'sent', user: 3, room: ROOM, id: 'late', content: 'still here?' });
  events.push({ kind: 'refused', user: 3, room: ROOM, id: 'late', code: 'not_a_member' });
  say(1);
  join(2, count);
  say(2);
  say(1);
  const published = stored.map(({ room, seq }) => ({ room, seq }));
  return { events, stored, members: new Map([[ROOM, [1, 2, 3]]]), samples: [{ name: 'sockets', value: 2, max: 2 }], published };
}

interface Fault {
  /** invariants of which at least one must be reported */
  breaks: number;
  plant: (history: Mutable) => void;
}

const indexOfKind = ({ events }: Mutable, kind: HistoryEvent['kind'], matches: (event: HistoryEvent) => boolean = () => true) =>
  events.findLastIndex((event) => event.kind === kind && matches(event));
const lastDelivered = (history: Mutable) => indexOfKind(history, 'delivered');

export const faults: Record<string, Fault> = {
  'an acked row is missing': {
    breaks: 1,
    plant: (history) => {
      const acked = history.events.find((event) => event.kind === 'ack');
      history.stored = history.stored.filter((entry) => entry.entry !== (acked as { entry: string }).entry);
    },
  },
  'an acked row has another content': { breaks: 1, plant: (history) => Object.assign(history.stored[0] as object, { content: 'other' }) },
  'a message is stored twice': {
    breaks: 2,
    plant: (history) => {
      const first = history.stored[0] as StoredEntry;
      history.stored.push({ ...first, seq: history.stored.length + 1, entry: 'again' });
    },
  },
  'a delivery comes twice': {
    breaks: 2,
    plant: (history) => {
      const position = lastDelivered(history);
      history.events.splice(position, 0, history.events[position] as HistoryEvent);
    },
  },
  'two deliveries are swapped': {
    breaks: 3,
    plant: (history) => {
      const join = (history.events[lastDelivered(history)] as { join: number }).join;
      const positions = history.events.flatMap((event, position) => (event.kind === 'delivered' && event.join === join ? [position] : []));
      const [a, b] = positions.slice(-2) as [number, number];
      [history.events[a], history.events[b]] = [history.events[b] as HistoryEvent, history.events[a] as HistoryEvent];
    },
  },
  'one client sees another content at a place': {
    breaks: 3,
    plant: (history) => {
      const position = lastDelivered(history);
      history.events[position] = { ...(history.events[position] as HistoryEvent), content: 'other' } as HistoryEvent;
    },
  },
  'a resume has a hole': {
    breaks: 4,
    plant: (history) => {
      const resume = history.events.find((event) => event.kind === 'join' && event.afterSeq !== undefined) as { join: number };
      const position = history.events.findIndex((event) => event.kind === 'delivered' && event.join === resume.join);
      history.events.splice(position, 1);
    },
  },
  'live delivery has a hole': {
    breaks: 4,
    plant: (history) => {
      const first = history.events.findIndex((event) => event.kind === 'delivered');
      history.events.splice(first, 1);
    },
  },
  'a resume calls a known position unknown': {
    breaks: 4,
    plant: (history) => {
      const position = indexOfKind(history, 'joined');
      history.events[position] = { ...(history.events[position] as HistoryEvent), recovered: false } as HistoryEvent;
    },
  },
  'the database has a hole': {
    breaks: 5,
    plant: (history) => {
      for (const entry of history.stored.slice(2)) Object.assign(entry, { seq: entry.seq + 1 });
    },
  },
  'a join stands before what was acked': {
    breaks: 6,
    plant: (history) => {
      const position = indexOfKind(history, 'joined');
      const joined = history.events[position] as { head: number };
      history.events[position] = { ...joined, head: joined.head - 1 } as HistoryEvent;
    },
  },
  'a removed member gets the next entry': {
    breaks: 7,
    plant: (history) => {
      const removal = history.stored.find((entry) => entry.member)?.seq ?? 0;
      const { seq, entry, content, sender } = history.stored[removal] as StoredEntry;
      const over = indexOfKind(history, 'over');
      const { join } = history.events[over] as { join: number };
      history.events.splice(over, 1);
      const missed = history.stored[removal - 1] as StoredEntry;
      const told = {
        kind: 'delivered' as const,
        join,
        seq: missed.seq,
        entry: missed.entry,
        content: missed.content,
        sender: missed.sender,
      };
      history.events.push(told, { kind: 'delivered', join, seq, entry, content, sender });
    },
  },
  'a socket gets an entry after it has left': {
    breaks: 7,
    plant: (history) => {
      const over = history.events.find((event) => event.kind === 'over') as { join: number };
      const last = history.events[lastDelivered(history)] as Extract<HistoryEvent, { kind: 'delivered' }>;
      history.events.push({ ...last, join: over.join });
    },
  },
  'a stranger joins': {
    breaks: 7,
    plant: (history) => {
      const head = history.stored.length;
      history.events.push({ kind: 'join', join: 99, user: 9, room: ROOM, afterSeq: undefined });
      history.events.push({ kind: 'joined', join: 99, head, recovered: true, replayedFrom: undefined });
    },
  },
  'sockets do not come back': { breaks: 8, plant: (history) => history.samples.push({ name: 'sockets', value: 5, max: 2 }) },
  'a refused message is stored and never acked': {
    breaks: 9,
    plant: (history) => {
      const seq = history.stored.length + 1;
      history.stored.push({ room: ROOM, seq, entry: 'ghost', sender: 3, id: 'late', content: 'still here?', member: undefined });
      history.published?.push({ room: ROOM, seq });
    },
  },
  'an entry never reaches Kafka': { breaks: 10, plant: (history) => history.published?.pop() },
  'two entries reach Kafka in the wrong order': {
    breaks: 10,
    plant: ({ published }) => {
      if (published) [published[1], published[2]] = [published[2] as never, published[1] as never];
    },
  },
};
