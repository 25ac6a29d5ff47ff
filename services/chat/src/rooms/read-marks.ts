// Read markers in batches: a client moves its marker with every message it shows. Of several moves of one user in one room only the
// furthest is written, and while a write is under way the next ones gather.
import type { MarkResult, ReadMark } from '@parley/chat-store';
import { messageOf, type Log } from '@parley/kit/process';

/** Marks of one statement. */
const BATCH_MAX = 200;
/** Marks that wait; beyond it a mark is refused: the client's next one says all that this one said. */
const WAITING_MAX = 10_000;

export interface ReadMarksOptions {
  write: (marks: readonly ReadMark[]) => Promise<MarkResult[]>;
  /** told of every marker that has moved; `session` moved it */
  onMoved: (results: readonly (MarkResult & { session: string })[]) => Promise<void>;
  log: Log;
}

/** `moved` is false for a marker that was further already. */
export type MarkOutcome = 'done' | 'not_a_member' | 'unavailable' | 'overloaded';

interface Waiting extends ReadMark {
  session: string;
  settle: ((outcome: MarkOutcome) => void)[];
}

export class ReadMarks {
  readonly #options: ReadMarksOptions;
  readonly #waiting = new Map<string, Waiting>();
  #running: Promise<void> | undefined;

  constructor(options: ReadMarksOptions) {
    this.#options = options;
  }

  mark(mark: ReadMark, session: string, settle: (outcome: MarkOutcome) => void): void {
    const key = `${mark.roomId}/${mark.userId}`;
    const waiting = this.#waiting.get(key);
    if (waiting) {
      if (mark.seq > waiting.seq) Object.assign(waiting, { seq: mark.seq, session });
      waiting.settle.push(settle);
      return;
    }
    if (this.#waiting.size >= WAITING_MAX) return settle('overloaded');
    this.#waiting.set(key, { ...mark, session, settle: [settle] });
    this.#running ??= this.#run();
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.entries()].slice(0, BATCH_MAX);
      for (const [key] of batch) this.#waiting.delete(key);
      await this.#write(batch.map(([, waiting]) => waiting));
    }
    this.#running = undefined;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    let results: MarkResult[];
    try {
      results = await this.#options.write(batch);
    } catch (error) {
      this.#options.log.warn({ reason: messageOf(error), marks: batch.length }, 'read markers were not written');
      for (const waiting of batch) for (const settle of waiting.settle) settle('unavailable');
      return;
    }
    const byKey = new Map(results.map((result) => [`${result.roomId}/${result.userId}`, result]));
    const moved: (MarkResult & { session: string })[] = [];
    for (const { roomId, userId, session, settle } of batch) {
      const result = byKey.get(`${roomId}/${userId}`);
      if (result?.moved) moved.push({ ...result, session });
      for (const each of settle) each(result ? 'done' : 'not_a_member');
    }
    try {
      if (moved.length > 0) await this.#options.onMoved(moved);
    } catch (error) {
      this.#options.log.warn({ reason: messageOf(error) }, 'moved read markers were not announced');
    }
  }
}
