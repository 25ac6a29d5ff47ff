// Many clients of a few people in many rooms, all sending, and what each of them can say at the end.
import { setTimeout as sleep } from 'node:timers/promises';
import { ResumingClient } from '../helpers/resuming-client.ts';

export interface CrowdOptions {
  /** of /api/ws */
  url: string;
  /** the clients take them one after the other, again and again */
  seats: { room: string; token: string }[];
  clients: number;
  /** each client sends a message in this time */
  everyMs: number;
}

export interface CrowdReport {
  clients: number;
  /** messages that were acked since the last report */
  acked: number;
  /** sockets that ended without a `reconnect` frame */
  abrupt: number;
  /** acked, and not at their place in what a client of the room got */
  lost: number;
  /** in what a client got twice */
  doubled: number;
  /** rooms in which two clients disagree about what is at a place */
  disagreements: number;
  /** by replica: sockets that were asked to reconnect, and the time from the first to the last of them */
  moved: { server: string; reason: string; sockets: number; seconds: number }[];
}

export class Crowd {
  readonly #options: CrowdOptions;
  readonly #clients: { room: string; client: ResumingClient }[] = [];
  #sending = true;
  #work: Promise<void>[] = [];
  #acked = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  /** Resolves when every client has joined its room and sends. */
  async start(): Promise<void> {
    const { url, seats, clients } = this.#options;
    for (let index = 0; index < clients; index++) {
      const { room, token } = seats[index % seats.length] as (typeof seats)[number];
      this.#clients.push({ room, client: new ResumingClient({ urls: [url], first: 0, room, token, name: `c${index}` }) });
    }
    // Ten at a time: a crowd that comes at once is another test.
    for (let index = 0; index < clients; index += 10)
      await Promise.all(this.#clients.slice(index, index + 10).map(({ client }) => client.start()));
    this.#send();
  }

  /** Everybody stops, waits until all is acked and all have what was acked, tells what became of it, and goes on. */
  async report(): Promise<CrowdReport> {
    this.#sending = false;
    await Promise.all(this.#work);
    const report = await this.#look();
    this.#sending = true;
    this.#send();
    return report;
  }

  async stop(): Promise<void> {
    this.#sending = false;
    for (const { client } of this.#clients) client.stop();
    await Promise.allSettled(this.#work);
  }

  #send(): void {
    const { everyMs } = this.#options;
    this.#work = this.#clients.map(async ({ client }) => {
      await sleep(Math.random() * everyMs);
      while (this.#sending) await client.sendMany(1, everyMs);
    });
    // Who asks for the report is told.
    void Promise.allSettled(this.#work);
  }

  async #look(): Promise<CrowdReport> {
    const report: CrowdReport = { clients: this.#clients.length, acked: 0, abrupt: 0, lost: 0, doubled: 0, disagreements: 0, moved: [] };
    for (const room of new Set(this.#options.seats.map((seat) => seat.room))) {
      const here = this.#clients.filter((each) => each.room === room).map(({ client }) => client);
      const head = Math.max(0, ...here.flatMap(({ acks }) => [...acks.values()]));
      await Promise.all(here.map((client) => client.reached(head)));
      const first = here[0]?.seen.slice(0, head) ?? [];
      if (here.some(({ seen }) => first.some(({ content }, index) => seen[index]?.content !== content))) report.disagreements++;
      const texts = first.map(({ content }) => content).filter((content) => content.startsWith('text of '));
      report.doubled += texts.length - new Set(texts).size;
      for (const { acks } of here) for (const [id, seq] of acks) if (first[seq - 1]?.content !== `text of ${id}`) report.lost++;
      report.acked += here.reduce((sum, { acks }) => sum + acks.size, 0);
    }
    const moves = this.#clients.flatMap(({ client }) => client.moves.splice(0));
    for (const key of new Set(moves.map(({ server, reason }) => `${server} ${reason}`))) {
      const [server = '', reason = ''] = key.split(' ');
      const times = moves.filter((move) => move.server === server && move.reason === reason).map(({ atMs }) => atMs);
      report.moved.push({ server, reason, sockets: times.length, seconds: (Math.max(...times) - Math.min(...times)) / 1000 });
    }
    for (const { client } of this.#clients) {
      report.abrupt += client.abrupt;
      client.abrupt = 0;
    }
    const all = report.acked;
    report.acked -= this.#acked;
    this.#acked = all;
    return report;
  }
}
