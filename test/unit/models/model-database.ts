// The database as the writer's model: it understands the writer's two texts and nothing else, has row locks and transactions, and
// fails on demand. What must never happen is collected in `violations`.
import { toBinary, type TextConnection } from '@parley/chat-store';

/**
 * none · deadlock: rolled back by the server · lost before: the connection ends and the text has not run · lost after: it has run, the
 * answer is lost · late: the client gives up, and the text runs some time later (a frozen server that wakes up)
 */
export type Fault = 'none' | 'deadlock' | 'lost before' | 'lost after' | 'late';

export interface Row {
  room: string;
  seq: number;
  id: string;
  sender: number;
  content: string;
  client: string | undefined;
}

export interface ModelDatabaseOptions {
  rooms: readonly string[];
  /** `room/user` */
  members: readonly string[];
  /** every step of the network and of the server waits for its turn here */
  pause: (label: string) => Promise<unknown>;
  nextFault: () => Fault;
}

/** A text with this content cannot be stored. */
export const POISON = 'poison';

const uuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const lost = () => Object.assign(new Error('connection lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true });
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match.slice(1));

/** One transaction, or a change of a membership: who holds locks. */
class Holder {
  rooms: string[] = [];
  pending: Row[] = [];
}

export class ModelDatabase {
  readonly rows: Row[] = [];
  readonly violations: string[] = [];
  /** counts everything that happens, so that tests can say before and after */
  clock = 0;
  readonly membershipLog: { clock: number; key: string; active: boolean }[] = [];
  readonly ranges: { room: string; from: number; to: number }[] = [];
  readonly #members: Set<string>;
  readonly #heads: Map<string, number>;
  readonly #locks = new Map<string, Holder>();
  #unlocked: (() => void)[] = [];
  readonly #options: ModelDatabaseOptions;

  constructor(options: ModelDatabaseOptions) {
    this.#options = options;
    this.#members = new Set(options.members);
    this.#heads = new Map(options.rooms.map((room) => [room, 0]));
  }

  isMember(key: string): boolean {
    return this.#members.has(key);
  }

  async connect(): Promise<TextConnection> {
    await this.#options.pause('connect');
    const holder = new Holder();
    let ended = false;
    let tellLost: (error: Error) => void = () => {};
    const drop = () => {
      ended = true;
      this.#release(holder);
    };
    return {
      run: async (sql) => {
        await this.#options.pause('request');
        if (ended) throw lost();
        const fault = this.#options.nextFault();
        if (fault === 'lost before' || fault === 'late') {
          ended = true;
          if (fault === 'late') void this.#runLate(sql, holder);
          else drop();
          tellLost(lost());
          throw lost();
        }
        if (fault === 'deadlock') {
          this.#release(holder);
          throw Object.assign(new Error('deadlock'), { code: 'ER_LOCK_DEADLOCK', sqlState: '40001' });
        }
        const answer = await this.#execute(sql, holder);
        if (fault === 'lost after') {
          drop();
          throw lost();
        }
        await this.#options.pause('answer');
        return answer;
      },
      onLost: (handle) => (tellLost = handle),
      end: () => Promise.resolve(drop()),
      // A statement that is on its way runs to its end without anybody to answer; an idle connection's transaction ends at once.
      destroy: () => !ended && drop(),
    };
  }

  /** As core does it: the room's lock first, so that it falls between two batches. */
  async changeMembership(room: string, user: number, active: boolean): Promise<void> {
    const holder = new Holder();
    await this.#lock([room], holder);
    await this.#options.pause('membership');
    const key = `${room}/${user}`;
    this.membershipLog.push({ clock: ++this.clock, key, active });
    if (active) this.#members.add(key);
    else this.#members.delete(key);
    this.#release(holder);
  }

  async #runLate(sql: string, holder: Holder): Promise<void> {
    await this.#options.pause('late');
    await this.#execute(sql, holder).catch(() => {});
    this.#release(holder);
  }

  async #execute(sql: string, holder: Holder): Promise<unknown> {
    if (sql.startsWith('BEGIN')) return this.#lockAndRead(sql, holder);
    if (sql.startsWith('INSERT INTO messages')) this.#write(sql, holder);
    if (sql.endsWith('COMMIT')) this.#commit(holder);
    this.#release(holder);
    return [];
  }

  async #lockAndRead(sql: string, holder: Holder): Promise<unknown> {
    const [, roomsSql = '', membersSql = '', storedSql = ''] = sql.split(';');
    const rooms = matches(roomsSql, /X'(\w{32})'/g).map(([hex]) => uuid(hex as string));
    await this.#lock(
      rooms.filter((room) => this.#heads.has(room)),
      holder,
    );
    const members = matches(membersSql, /room_id = X'(\w{32})' AND user_id IN \(([\d,]+)\)/g).flatMap(([hex, users]) =>
      (users as string).split(',').map((user) => ({ room: uuid(hex as string), user: Number(user) })),
    );
    const clients = matches(storedSql, /room_id = X'(\w{32})' AND sender_id = (\d+) AND client_msg_id IN \(([^)]*)\)/g);
    const byClient = new Set(
      clients.flatMap(([hex, sender, ids]) => matches(ids as string, /'(\w+)'/g).map(([id]) => `${uuid(hex as string)}/${sender}/${id}`)),
    );
    const byId = new Set(matches(storedSql.split(/[( ]id IN /)[1] ?? '', /X'(\w{32})'/g).map(([hex]) => uuid(hex as string)));
    return [
      {},
      holder.rooms.map((room) => ({
        ...{ id: toBinary(room), last_seq: this.#heads.get(room), message_count: this.#heads.get(room) },
        ...{ last_message_at: null, member_version: 0, hidden_count: 0 },
      })),
      members
        .filter(({ room, user }) => this.#members.has(`${room}/${user}`))
        .map(({ room, user }) => ({ room_id: toBinary(room), user_id: user })),
      this.rows
        .filter(({ room, sender, client, id }) => byId.has(id) || (client !== undefined && byClient.has(`${room}/${sender}/${client}`)))
        .map(({ room, seq, id, sender, client }) => ({
          ...{ room_id: toBinary(room), sender_id: sender, client_msg_id: client ?? null, id: toBinary(id), seq, created_at: new Date(0) },
        })),
    ];
  }

  #write(sql: string, holder: Holder): void {
    const [insert = '', heads = '', outbox = ''] = sql.split(';');
    const rows = matches(insert, /\(X'(\w{32})',(\d+),X'(\w{32})','message',\d+,(\d+),'[^']*','([^']*)','text',NULL,(?:NULL|'(\w+)'),/g);
    holder.pending = rows.map(([room, seq, id, sender, content, client]) => ({
      ...{
        room: uuid(room as string),
        seq: Number(seq),
        id: uuid(id as string),
        sender: Number(sender),
        content: content as string,
        client,
      },
    }));
    if (holder.pending.length === 0 || holder.pending.length !== insert.split("'message'").length - 1)
      this.violations.push(`not read: ${insert}`);
    if (holder.pending.some(({ content }) => content === POISON)) {
      throw Object.assign(new Error('too long'), { code: 'ER_DATA_TOO_LONG', sqlState: '22001' });
    }
    const last = new Map(holder.pending.map(({ room, seq }) => [room, seq]));
    const told = new Map(
      matches(heads.split('message_count')[0] as string, /WHEN X'(\w{32})' THEN (\d+)/g).map(([hex, seq]) => [
        uuid(hex as string),
        Number(seq),
      ]),
    );
    for (const [room, seq] of last) if (told.get(room) !== seq) this.violations.push(`head of ${room} is ${told.get(room)}, not ${seq}`);
    for (const [room, from, to] of matches(outbox, /room_id\\":\\"([\w-]+)\\",\\"from_seq\\":(\d+),\\"to_seq\\":(\d+)/g)) {
      this.ranges.push({ room: room as string, from: Number(from), to: Number(to) });
    }
  }

  #commit(holder: Holder): void {
    for (const row of holder.pending) {
      const { room, seq, sender, client, id } = row;
      if (this.#locks.get(room) !== holder) this.violations.push(`${room}/${seq} was written without the room's lock`);
      if (!this.#members.has(`${room}/${sender}`)) this.violations.push(`${sender} wrote ${room}/${seq} without being a member`);
      if (seq !== (this.#heads.get(room) ?? 0) + 1) this.violations.push(`${room}: ${seq} after ${this.#heads.get(room)}`);
      const twin = (other: Row) =>
        other.id === id || (client !== undefined && other.room === room && other.sender === sender && other.client === client);
      if (this.rows.some(twin)) this.violations.push(`${room}/${seq}: ${client ?? id} is stored twice`);
      this.#heads.set(room, seq);
      this.rows.push(row);
      this.clock++;
    }
    holder.pending = [];
  }

  async #lock(rooms: readonly string[], holder: Holder): Promise<void> {
    for (const room of rooms) {
      while (this.#locks.has(room)) await new Promise<void>((resolve) => this.#unlocked.push(resolve));
      this.#locks.set(room, holder);
      holder.rooms.push(room);
    }
  }

  #release(holder: Holder): void {
    for (const room of holder.rooms) this.#locks.delete(room);
    holder.rooms = [];
    holder.pending = [];
    const waiting = this.#unlocked;
    this.#unlocked = [];
    for (const resume of waiting) resume();
  }
}
