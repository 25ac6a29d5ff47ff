// One lane of the writer: one connection, one transaction at a time, retries, reconnects.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, messageOf, type Log } from '@parley/kit/process';
import { traced } from '@parley/kit/tracing';
import { noSpace, type TextConnection } from './connection/index.ts';
import { classify, type Failure } from './writer-failure.ts';
import { planBatch, type AppendResult, type NewMessage, type RoomBatch } from './writer-plan.ts';
import { factsOf, lockAndReadSql, writeSql } from './writer-sql.ts';

/** A message and who is told what became of it. */
export interface Submission {
  message: NewMessage;
  /** Called exactly once: after the commit, or when the message was refused. */
  settle: (result: AppendResult) => void;
}

export interface LaneOptions {
  name: string;
  connect: () => Promise<TextConnection>;
  onCommit: (rooms: readonly RoomBatch[]) => void;
  log: Log;
  batchMax: number;
  now: () => number;
  /** told the size and the time of every committed batch, and of every failed try; `noSpace`: the server's words, when that was why */
  observe: ((event: { committed: number; seconds: number } | { failed: Failure; noSpace: string | undefined }) => void) | undefined;
}

/** Tries of one batch before its messages are answered `unavailable`. */
const TRIES_MAX = 3;

export class WriterLane {
  readonly #options: LaneOptions;
  #queue: Submission[] = [];
  #running: Promise<void> | undefined;
  #connection: TextConnection | undefined;
  #reconnecting: Promise<void> | undefined;
  #closing = false;
  /** moving average of a transaction's time, for the estimate of a wait */
  batchMs = 1;
  failure: string | undefined = 'not connected yet';
  #startedAt: number | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get queued(): number {
    return this.#queue.length;
  }
  /** Estimated time until a message that is submitted now is in a transaction, in milliseconds. */
  get waitMs(): number {
    const overdue = this.#startedAt === undefined ? 0 : Math.max(0, performance.now() - this.#startedAt - this.batchMs);
    return (this.#queue.length / this.#options.batchMax) * this.batchMs + overdue;
  }
  get available(): boolean {
    return this.failure === undefined;
  }

  async open(): Promise<void> {
    const connection = await this.#options.connect();
    connection.onLost((error) => this.#lost(connection, error));
    this.#connection = connection;
    this.failure = undefined;
  }

  push(submission: Submission): void {
    this.#queue.push(submission);
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#running;
    await this.#reconnecting;
    await this.#connection?.end();
    this.failure = 'closed';
  }

  async #run(): Promise<void> {
    // Everything that arrives in this turn of the event loop goes into the first batch.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.batchMax);
      this.#startedAt = performance.now();
      await this.#store(batch);
      this.batchMs = this.batchMs * 0.8 + (performance.now() - this.#startedAt) * 0.2;
      this.#startedAt = undefined;
    }
    this.#running = undefined;
  }

  /** Stores a batch, retrying what may succeed; splits it when one of its messages cannot be stored at all. */
  async #store(batch: readonly Submission[]): Promise<void> {
    const { log, observe } = this.#options;
    const started = performance.now();
    let failure: Failure = 'connection';
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      try {
        const commit = async () => {
          const { results, rooms } = await this.#transaction(
            batch.map((submission) => submission.message),
            attempt > 0,
          );
          observe?.({ committed: batch.length, seconds: (performance.now() - started) / 1000 });
          this.#release(batch, results, rooms);
        };
        await traced('batch commit', { messages: batch.length, attempt }, commit, { root: true });
        return;
      } catch (error) {
        failure = classify(error);
        observe?.({ failed: failure, noSpace: noSpace(error) });
        log.warn({ reason: messageOf(error), failure, attempt, messages: batch.length }, 'a batch failed');
        await this.#rollback(failure);
        if (failure === 'data') break;
        if (attempt + 1 < TRIES_MAX) await sleep(backoffMs(attempt, { baseMs: 20, maxMs: 500 }));
      }
    }
    if (failure === 'data' && batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      await this.#store(batch.slice(0, middle));
      await this.#store(batch.slice(middle));
      return;
    }
    this.#settleAll(batch, { ok: false, code: failure === 'data' ? 'internal' : 'unavailable' });
  }

  async #transaction(messages: readonly NewMessage[], retry: boolean): Promise<{ results: AppendResult[]; rooms: RoomBatch[] }> {
    const connection = this.#connection;
    if (!connection) throw new Error('no connection');
    const answers = await connection.run(lockAndReadSql(messages, { retry }));
    const plan = planBatch(messages, factsOf(answers), this.#options.now());
    await connection.run(plan.rooms.length > 0 ? writeSql(plan.rooms) : 'COMMIT');
    return plan;
  }

  /** One turn: fan-out first, then the acks, so that an acked message is already on its way to everybody. */
  #release(batch: readonly Submission[], results: readonly AppendResult[], rooms: readonly RoomBatch[]): void {
    if (rooms.length > 0) this.#options.onCommit(rooms);
    batch.forEach((submission, index) => this.#settle(submission, results[index] ?? { ok: false, code: 'internal' }));
  }

  #settleAll(batch: readonly Submission[], result: AppendResult): void {
    for (const submission of batch) this.#settle(submission, result);
  }

  #settle(submission: Submission, result: AppendResult): void {
    try {
      submission.settle(result);
    } catch (error) {
      this.#options.log.error({ reason: messageOf(error) }, 'settling a message failed');
    }
  }

  async #rollback(failure: Failure): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    if (failure === 'connection') {
      this.#lost(connection, new Error('connection given up after an error'));
      return;
    }
    try {
      await connection.run('ROLLBACK');
    } catch (error) {
      this.#lost(connection, error as Error);
    }
  }

  /** The connection is gone: nothing is accepted until a new one is there, so that senders learn it at once. */
  #lost(connection: TextConnection, error: Error): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    connection.destroy();
    if (this.#closing) return;
    this.failure = messageOf(error);
    this.#reconnecting ??= this.#reconnectForEver().finally(() => (this.#reconnecting = undefined));
  }

  async #reconnectForEver(): Promise<void> {
    for (let attempt = 0; !this.#connection && !this.#closing; attempt++) {
      try {
        await this.open();
        this.#options.log.info({ lane: this.#options.name }, 'the writer is connected again');
      } catch (error) {
        this.failure = messageOf(error);
        await sleep(backoffMs(attempt, { maxMs: 1000 }));
      }
    }
  }
}
