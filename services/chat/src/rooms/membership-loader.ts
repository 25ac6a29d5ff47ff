// Membership look-ups in batches: while one read is under way, the next ones gather. A storm of joins costs a few reads, not one each.
import type { Membership } from '@parley/chat-store';
import type { RoomReader } from '../ports.ts';

/** Pairs of one read. */
const BATCH_MAX = 500;
/** Reads at the same time. */
const READS_MAX = 2;

interface Waiting {
  roomId: string;
  userId: number;
  resolve: (membership: Membership | undefined) => void;
  reject: (reason: unknown) => void;
}

export class MembershipLoader {
  readonly #reader: Pick<RoomReader, 'memberships'>;
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(reader: Pick<RoomReader, 'memberships'>) {
    this.#reader = reader;
  }

  /** The state of the room and the user's marks, read after this call; undefined when the user is not an active member. */
  load(roomId: string, userId: number): Promise<Membership | undefined> {
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
      for (const waiting of batch) waiting.reject(error);
    }
  }
}
