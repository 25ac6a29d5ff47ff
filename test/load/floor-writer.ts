// The least that makes a message durable in the order of its room: the two round trips of the product's writer, without memberships,
// known client ids and outbox. Two lanes, at most 100 messages a transaction, no timer.
import mysql, { type Connection, type RowDataPacket } from 'mysql2';

export interface FloorMessage {
  id: string;
  room_id: string;
  sender_id: number;
  sender_name: string;
  content: string;
  client_msg_id: string;
}
type Done = (seq: number, at: string) => void;

const LANES = 2;
const BATCH_MAX = 100;

const TABLES = [
  'CREATE TABLE IF NOT EXISTS floor_rooms (id BINARY(16) NOT NULL PRIMARY KEY, last_seq BIGINT NOT NULL) ENGINE=InnoDB',
  `CREATE TABLE IF NOT EXISTS floor_messages (room_id BINARY(16) NOT NULL, seq BIGINT NOT NULL, id BINARY(16) NOT NULL,
    sender_id BIGINT NOT NULL, sender_name VARCHAR(120) NOT NULL, content TEXT NOT NULL,
    client_msg_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL, created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (room_id, seq), UNIQUE KEY floor_messages_id (id), UNIQUE KEY floor_messages_client (room_id, sender_id, client_msg_id)
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
];

export async function createFloorTables(url: string): Promise<void> {
  const connection = await connect(url);
  for (const statement of TABLES) await run(connection, statement);
  connection.end();
}

const hex = (id: string) => id.replaceAll('-', '');
const literal = (id: string) => `X'${hex(id)}'`;

/** READ COMMITTED and one text of several statements, as the product's writer has it. */
async function connect(url: string): Promise<Connection> {
  const connection = mysql.createConnection({ uri: url, timezone: 'Z', charset: 'utf8mb4', multipleStatements: true });
  await run(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  return connection;
}

/** The callback interface: a promise of our own is cheaper than the driver's. */
function run(connection: Connection, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.query(sql, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

export class FloorWriter {
  readonly #lanes: Lane[];

  private constructor(lanes: Lane[]) {
    this.#lanes = lanes;
  }

  static async open(url: string): Promise<FloorWriter> {
    return new FloorWriter(await Promise.all(Array.from({ length: LANES }, async () => new Lane(await connect(url)))));
  }

  submit(message: FloorMessage, done: Done): void {
    const lane = this.#lanes[message.room_id.charCodeAt(message.room_id.length - 1) % LANES];
    lane?.push(message, done);
  }
}

class Lane {
  readonly #connection: Connection;
  #queue: { message: FloorMessage; done: Done }[] = [];
  #running = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  push(message: FloorMessage, done: Done): void {
    this.#queue.push({ message, done });
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH_MAX);
      const { seqs, at } = await this.#commit(batch.map(({ message }) => message));
      batch.forEach(({ done }, index) => done(seqs[index] ?? 0, at));
    }
    this.#running = false;
  }

  async #commit(messages: readonly FloorMessage[]): Promise<{ seqs: number[]; at: string }> {
    const rooms = [...new Set(messages.map((message) => message.room_id))].sort();
    const answers = await run(
      this.#connection,
      `BEGIN;SELECT id, last_seq FROM floor_rooms WHERE id IN (${rooms.map(literal).join(',')}) ORDER BY id FOR UPDATE`,
    );
    const rows = (answers as [unknown, RowDataPacket[]])[1];
    const heads = new Map(rows.map((row) => [(row['id'] as Buffer).toString('hex'), row['last_seq'] as number]));
    const at = new Date().toISOString();
    const time = `'${at.slice(0, 10)} ${at.slice(11, 23)}'`;
    const seqs: number[] = [];
    const values = messages.map((message) => {
      const seq = (heads.get(hex(message.room_id)) ?? 0) + 1;
      heads.set(hex(message.room_id), seq);
      seqs.push(seq);
      const texts = [message.sender_name, message.content, message.client_msg_id].map((text) => mysql.escape(text));
      return `(${literal(message.room_id)},${seq},${literal(message.id)},${message.sender_id},${texts.join(',')},${time})`;
    });
    const choose = rooms.map((room) => `WHEN ${literal(room)} THEN ${heads.get(hex(room)) ?? 0}`).join(' ');
    await run(
      this.#connection,
      `INSERT INTO floor_messages (room_id, seq, id, sender_id, sender_name, content, client_msg_id, created_at) VALUES ${values.join(',')};` +
        `UPDATE floor_rooms SET last_seq = CASE id ${choose} END WHERE id IN (${rooms.map(literal).join(',')});COMMIT`,
    );
    return { seqs, at };
  }
}
