// Membership look-ups in batches: while one read is under way, the next ones gather. A storm of joins costs a few reads, not one each.
import type { Membership } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import type { RoomReader } from '../ports.ts';

/** Pairs of one read. */
const BATCH_MAX = 500;
/** Reads at the same time. */
const READS_MAX = 2;
/** Look-ups that wait: every socket of a replica that comes back joins some rooms at once. Beyond it a look-up is refused. */
const WAITING_MAX = 50_000;

interface Waiting {
  roomId: string;
  userId: number;
  resolve: (membership: Membership | undefined) => void;
  reject: (reason: unknown) => void;
}

export class MembershipLoader {
  readonly #reader: Pick<RoomReader, 'memberships'>;
  readonly #waitingMax: number;
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(reader: Pick<RoomReader, 'memberships'>, { waitingMax = WAITING_MAX }: { waitingMax?: number } = {}) {
    this.#reader = reader;
    this.#waitingMax = waitingMax;
  }

  /**
   * The state of the room and the user's marks, read after this call; undefined when the user is not an active member. Throws what the
   * read threw, and AppError overloaded when too many wait.
   */
  load(roomId: string, userId: number): Promise<Membership | undefined> {
    if (this.#waiting.length >= this.#waitingMax) return Promise.reject(new AppError('overloaded'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ roomId, userId, resolve, reject });
      // Everything that asks in this turn of the event loop goes into one read.
      if (this.#waiting.length === 1) setImmediate(() => this.#pump());
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#running < READS_MAX) {
      this.#running++;
      void this.#read(this.#waiting.splice(0, BATCH_MAX)).finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  async #read(batch: readonly Waiting[]): Promise<void> {
    try {
      const memberships = await this.#reader.memberships(batch);
      batch.forEach((waiting, index) => waiting.resolve(memberships[index]));
    } catch (error) {
      // Who waits behind a read that failed is not made to wait for the next ones to fail: a database that is away takes its time.
      for (const waiting of [...batch, ...this.#waiting.splice(0)]) waiting.reject(error);
    }
  }
}
