// Look-ups by id, gathered: what is being looked up is not looked up again, and what arrives while the source is busy becomes one
// batch. A burst after an entry expired, or Redis gone, so costs the database a few queries instead of one per request.
import { AppError } from './errors.ts';

/** The read, and bounds of a batch and of what waits. */
export interface BatchLoaderOptions<T> {
  /** Finds what exists; absent ids are absent from the answer. */
  load(ids: readonly number[]): Promise<Map<number, T>>;
  /** Batches under way at a time. */
  atOnce: number;
  /** Ids of one batch. */
  batchMax: number;
  /** Ids under way and waiting; beyond it a look-up is refused at once. */
  idsMax: number;
}

interface Batch<T> {
  ids: number[];
  found: Promise<Map<number, T>>;
  start(): void;
}

/** Look-ups of one turn of the event loop in one read. */
export class BatchLoader<T> {
  private readonly options: BatchLoaderOptions<T>;
  private readonly batchOf = new Map<number, Batch<T>>();
  private readonly waiting: Batch<T>[] = [];
  private running = 0;

  constructor(options: BatchLoaderOptions<T>) {
    this.options = options;
  }

  /** Values of those that exist. Throws what `load` threw for a batch, and AppError overloaded when too many ids wait. */
  async load(ids: Iterable<number>): Promise<Map<number, T>> {
    const wanted = new Set(ids);
    const fresh = [...wanted].filter((id) => !this.batchOf.has(id));
    if (this.batchOf.size + fresh.length > this.options.idsMax) throw new AppError('overloaded', undefined, { retryAfterMs: 1000 });
    for (const id of fresh) this.gather(id);
    const batches = new Set([...wanted].map((id) => this.batchOf.get(id)!.found));
    this.next();
    const answers = await Promise.all(batches);
    const values = new Map<number, T>();
    for (const found of answers) {
      for (const [id, value] of found) if (wanted.has(id)) values.set(id, value);
    }
    return values;
  }

  private gather(id: number): void {
    let batch = this.waiting.at(-1);
    if (!batch || batch.ids.length >= this.options.batchMax) this.waiting.push((batch = this.newBatch()));
    batch.ids.push(id);
    this.batchOf.set(id, batch);
  }

  private newBatch(): Batch<T> {
    const { promise, resolve, reject } = deferred<Map<number, T>>();
    const ids: number[] = [];
    const start = () => {
      this.running++;
      this.options
        .load(ids)
        .finally(() => {
          this.running--;
          for (const id of ids) this.batchOf.delete(id);
          this.next();
        })
        .then(resolve, reject);
    };
    return { ids, found: promise, start };
  }

  private next(): void {
    while (this.running < this.options.atOnce && this.waiting.length > 0) this.waiting.shift()!.start();
  }
}

/** Promise.withResolvers, which Node 20 has not. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}
