// The invariants of spec 04 §4.7 over a recorded history. Pure: each finding names the invariant, the room and the place.
import type { History, HistoryEvent, StoredEntry } from './history.ts';

export interface Violation {
  invariant: number;
  what: string;
}

/** Most entries of one replay (protocol/limits.ts). */
const REPLAY_MAX = 500;

interface Join {
  user: number;
  room: string;
  afterSeq: number | undefined;
  /** the newest seq of the room that was acked to anybody before this request */
  ackedBefore: number;
  joined: { head: number; recovered: boolean; replayedFrom: number | undefined } | undefined;
  gap: { from: number; to: number } | undefined;
  /** entries of the gap that were fetched by REST */
  paged: number[];
  replayed: number[];
  live: number[];
  over: boolean;
  afterOver: number[];
  /** still in the room when everything had come to rest */
  atRest: boolean;
}

interface Index {
  history: History;
  joins: Join[];
  bySeq: Map<string, StoredEntry>;
  byRoom: Map<string, StoredEntry[]>;
}

const place = (room: string, seq: number): string => `${room}/${seq}`;
const of = <K extends HistoryEvent['kind']>({ events }: History, kind: K) =>
  events.filter((event): event is Extract<HistoryEvent, { kind: K }> => event.kind === kind);

/** Everything that is wrong; an empty list is what every run must show. */
export function checkHistory(history: History): Violation[] {
  const index = indexOf(history);
  const checks = [
    ackedIsStored,
    storedOnce,
    oneOrder,
    completeAfterResume,
    gapless,
    readYourWrites,
    membersOnly,
    bounded,
    honestRefusals,
    publishedInOrder,
  ];
  return checks.flatMap((check, position) => check(index).map((what) => ({ invariant: position + 1, what })));
}

function indexOf(history: History): Index {
  const byRoom = new Map<string, StoredEntry[]>();
  for (const entry of history.stored) {
    const known = byRoom.get(entry.room);
    if (known) known.push(entry);
    else byRoom.set(entry.room, [entry]);
  }
  for (const entries of byRoom.values()) entries.sort((a, b) => a.seq - b.seq);
  const bySeq = new Map(history.stored.map((entry) => [place(entry.room, entry.seq), entry]));
  return { history, joins: joinsOf(history), bySeq, byRoom };
}

function joinsOf({ events }: History): Join[] {
  const joins = new Map<number, Join>();
  const acked = new Map<string, number>();
  for (const event of events) {
    if (event.kind === 'ack') acked.set(event.room, Math.max(acked.get(event.room) ?? 0, event.seq));
    if (event.kind === 'join') {
      const { user, room, afterSeq } = event;
      const ackedBefore = acked.get(room) ?? 0;
      joins.set(event.join, {
        ...{
          user,
          room,
          afterSeq,
          ackedBefore,
          joined: undefined,
          gap: undefined,
          paged: [],
          replayed: [],
          live: [],
          over: false,
          afterOver: [],
          atRest: false,
        },
      });
    }
    if (event.kind === 'quiet') for (const join of joins.values()) join.atRest = !join.over && join.joined !== undefined;
    if (!('join' in event) || event.kind === 'join') continue;
    const join = joins.get(event.join);
    if (!join) continue;
    if (event.kind === 'joined') join.joined = event;
    else if (event.kind === 'gap') join.gap = event;
    else if (event.kind === 'paged') join.paged.push(event.seq);
    else if (event.kind === 'over') join.over = true;
    else (join.over ? join.afterOver : join.joined ? join.live : join.replayed).push(event.seq);
  }
  return [...joins.values()];
}

/** 1: no acked loss. */
function ackedIsStored({ history, bySeq }: Index): string[] {
  const contents = new Map(of(history, 'sent').map(({ user, room, id, content }) => [`${room}/${user}/${id}`, content]));
  return of(history, 'ack').flatMap(({ user, room, id, seq, entry }) => {
    const row = bySeq.get(place(room, seq));
    const sent = contents.get(`${room}/${user}/${id}`);
    const right = row?.entry === entry && row.id === id && row.sender === user && (sent === undefined || row.content === sent);
    return right ? [] : [`${id} of user ${user} was acked as ${place(room, seq)}, where the database has ${row?.id ?? 'nothing'}`];
  });
}

/** 2: no duplicates, in the database or at a client. */
function storedOnce({ history, joins }: Index): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const { room, sender, id, entry } of history.stored) {
    for (const key of [`entry ${entry}`, ...(id === null ? [] : [`message ${id} of user ${sender} in ${room}`])]) {
      if (seen.has(key)) found.push(`${key} is stored twice`);
      seen.add(key);
    }
  }
  for (const { user, room, replayed, live } of joins) {
    const seqs = new Set<number>();
    for (const seq of [...replayed, ...live]) {
      if (seqs.has(seq)) found.push(`user ${user} got ${place(room, seq)} twice in one join`);
      seqs.add(seq);
    }
  }
  return found;
}

/** 3: one order: at each client strictly increasing, and at each place the same entry for everybody. */
function oneOrder({ history, joins, bySeq }: Index): string[] {
  const found: string[] = [];
  for (const { user, room, replayed, live } of joins) {
    const seqs = [...replayed, ...live];
    seqs.forEach((seq, position) => {
      if (position > 0 && seq < (seqs[position - 1] ?? 0)) found.push(`user ${user} got ${place(room, seq)} after ${seqs[position - 1]}`);
    });
  }
  const rooms = new Map(of(history, 'join').map(({ join, room }) => [join, room]));
  for (const { join, seq, entry, content, sender } of [...of(history, 'delivered'), ...of(history, 'paged')]) {
    const at = place(rooms.get(join) ?? '', seq);
    const row = bySeq.get(at);
    if (row?.entry !== entry || row.content !== content || row.sender !== sender)
      found.push(`${at} was delivered as another entry than is stored`);
  }
  return found;
}

/** 4: a join brings everything after its position or names what it leaves out; from then on nothing is missing, to the end. */
function completeAfterResume({ joins, byRoom }: Index): string[] {
  return joins.flatMap(({ user, room, afterSeq, joined, gap, paged, replayed, live, atRest }) => {
    if (!joined) return [];
    const who = `user ${user} in ${room}`;
    const found = live
      .flatMap((seq, position) => (seq === joined.head + 1 + position ? [] : [`${who}: ${seq} came after ${joined.head + position}`]))
      .slice(0, 1);
    const [last, end] = [live.at(-1) ?? joined.head, byRoom.get(room)?.length ?? 0];
    if (atRest && last < end) found.push(`${who} has nothing after ${last} of ${end}`);
    if (afterSeq === undefined) return replayed.length > 0 ? [...found, `${who} got a replay that was not asked for`] : found;
    if (!joined.recovered)
      return afterSeq <= joined.head ? [...found, `${who} was not recovered from ${afterSeq} of ${joined.head}`] : found;
    const from = gap ? gap.to + 1 : afterSeq + 1;
    const whole = replayed.length === joined.head - from + 1 && replayed.every((seq, position) => seq === from + position);
    if (!whole) found.push(`${who}: the replay after ${afterSeq} to ${joined.head} has ${replayed.length} entries from ${replayed[0]}`);
    // Paging may end early, because the client went away or was removed; what it got has no hole.
    const pages = paged.findIndex((seq, position) => seq !== (gap?.from ?? 0) + position || seq > (gap?.to ?? 0));
    if (pages >= 0) found.push(`${who}: a page of the gap from ${gap?.from} has ${paged[pages]}`);
    if (gap && (gap.from !== afterSeq + 1 || replayed.length < REPLAY_MAX))
      found.push(`${who}: the gap ${gap.from}-${gap.to} is too large`);
    return found;
  });
}

/** 5: the seqs of a room have no hole. */
function gapless({ byRoom }: Index): string[] {
  return [...byRoom].flatMap(([room, entries]) => {
    const wrong = entries.findIndex(({ seq }, position) => seq !== position + 1);
    return wrong < 0 ? [] : [`${room} has ${entries[wrong]?.seq} where ${wrong + 1} should be`];
  });
}

/** 6: what was acked to anybody is there for whoever asks afterwards, on any replica. */
function readYourWrites({ joins }: Index): string[] {
  return joins.flatMap(({ user, room, ackedBefore, joined }) =>
    joined && joined.head < ackedBefore ? [`user ${user} joined ${room} at ${joined.head} after ${ackedBefore} was acked`] : [],
  );
}

/** 7: nothing of a room reaches who is no member at that place. */
function membersOnly({ history, joins, byRoom }: Index): string[] {
  const changes = new Map<string, { seq: number; active: boolean }[]>();
  for (const [room, entries] of byRoom) {
    for (const { seq, member } of entries) {
      if (!member) continue;
      const key = `${room}/${member.user}`;
      changes.set(key, [...(changes.get(key) ?? []), { seq, active: member.active }]);
    }
  }
  const isMember = (room: string, user: number, seq: number) => {
    const last = changes.get(`${room}/${user}`)?.findLast((change) => change.seq <= seq);
    return last?.active ?? history.members.get(room)?.includes(user) ?? false;
  };
  return joins.flatMap(({ user, room, joined, live, afterOver }) => {
    const found = afterOver.map((seq) => `user ${user} got ${place(room, seq)} after the socket had left`);
    if (!joined) return found;
    if (!isMember(room, user, joined.head)) found.push(`user ${user} joined ${room} at ${joined.head} without being a member`);
    const strangers = live.filter((seq) => !isMember(room, user, seq));
    if (strangers.length > 0) found.push(`user ${user} got ${place(room, strangers[0] ?? 0)} after the membership had ended`);
    return found;
  });
}

/** 8: what grows comes back. */
function bounded({ history }: Index): string[] {
  return history.samples.filter(({ value, max }) => value > max).map(({ name, value, max }) => `${name} is ${value}, at most ${max}`);
}

/** 9: a refused message is not stored, or it was acked under the same id. */
function honestRefusals({ history }: Index): string[] {
  const acked = new Set(of(history, 'ack').map(({ user, room, id }) => `${room}/${user}/${id}`));
  const stored = new Set(history.stored.map(({ room, sender, id }) => `${room}/${sender}/${id}`));
  const refused = new Set(of(history, 'refused').map(({ user, room, id }) => `${room}/${user}/${id}`));
  return [...refused].filter((key) => stored.has(key) && !acked.has(key)).map((key) => `${key} was refused, is stored and was never acked`);
}

/** 10: every entry is published at least once; first appearances are in the room's order. */
function publishedInOrder({ history, byRoom }: Index): string[] {
  if (!history.published) return [];
  const found: string[] = [];
  const next = new Map<string, number>();
  for (const { room, seq } of history.published) {
    const expected = next.get(room) ?? 1;
    if (seq > expected) found.push(`${place(room, seq)} was published before ${expected}`);
    next.set(room, Math.max(expected, seq + 1));
  }
  for (const [room, entries] of byRoom) {
    if ((next.get(room) ?? 1) <= entries.length) found.push(`${place(room, next.get(room) ?? 1)} was never published`);
  }
  return found;
}
