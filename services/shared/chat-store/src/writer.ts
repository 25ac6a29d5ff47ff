// The message-log writer: group commit without a timer. While a transaction is in flight, messages queue; when it commits, the next
// batch goes. Idle: a batch of one; busy: batches grow by themselves (spec 04 §4.2).
import { messageOf, type Log } from '@parley/kit/process';
import { WriterLane, type LaneOptions, type Submission } from './writer-lane.ts';
import type { RoomBatch } from './writer-plan.ts';

export type { Submission } from './writer-lane.ts';

/** Connections, bounds of what waits, and who hears of commits. */
export interface WriterOptions {
  connect: LaneOptions['connect'];
  /** Called once per committed batch, before its acks, in the same turn of the event loop. Must not throw. */
  onCommit: (rooms: readonly RoomBatch[]) => void;
  log: Log;
  /** independent writers, each on its own connection; a room always uses the same one */
  lanes?: number;
  /** most messages of one transaction */
  batchMax?: number;
  /** most messages that wait over all lanes; beyond it a message is refused at once */
  queueMax?: number;
  /** a message is refused when the estimated wait is longer than this */
  waitMaxMs?: number;
  now?: () => number;
  observe?: LaneOptions['observe'];
}

/** Taken into the queue, or refused at once with the time to come back. */
export type SubmitOutcome = { ok: true } | { ok: false; code: 'overloaded' | 'unavailable'; retryAfterMs: number };

/** Appends messages in group commits over several connections, one room always on the same one. */
export class MessageWriter {
  readonly #lanes: WriterLane[];
  readonly #queueMax: number;
  readonly #waitMaxMs: number;
  #closed = false;

  constructor({
    lanes = 2,
    batchMax = 100,
    queueMax = 5000,
    waitMaxMs = 250,
    now = Date.now,
    connect,
    onCommit,
    log,
    observe,
  }: WriterOptions) {
    this.#queueMax = queueMax;
    this.#waitMaxMs = waitMaxMs;
    const guarded = (rooms: readonly RoomBatch[]) => {
      try {
        onCommit(rooms);
      } catch (error) {
        // The messages are committed; other replicas and this one find them by seq. An ack must not depend on fan-out.
        log.error({ reason: messageOf(error) }, 'fan-out after commit failed');
      }
    };
    this.#lanes = Array.from(
      { length: lanes },
      (_, index) => new WriterLane({ connect, onCommit: guarded, log, batchMax, now, observe, name: `lane-${index}` }),
    );
  }

  /** Takes a message into the queue, or says at once why not. */
  submit(submission: Submission): SubmitOutcome {
    const lane = this.#lanes[laneOf(submission.message.roomId, this.#lanes.length)] as WriterLane;
    if (this.#closed || !lane.available) return { ok: false, code: 'unavailable', retryAfterMs: 1000 };
    const waitMs = lane.waitMs;
    if (this.queued >= this.#queueMax || waitMs > this.#waitMaxMs) {
      return { ok: false, code: 'overloaded', retryAfterMs: Math.max(100, Math.round(waitMs)) };
    }
    lane.push(submission);
    return { ok: true };
  }

  get queued(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.queued, 0);
  }

  /** Why messages cannot be stored at the moment, or undefined. */
  get unavailableReason(): string | undefined {
    return this.#lanes.map((lane) => lane.failure).find((reason) => reason !== undefined);
  }

  /** Opens the lanes' connections; throws when the database cannot be reached. */
  async open(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.open()));
  }

  /** Refuses new messages, commits what is queued, closes the connections. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}

/** FNV-1a over the id: the same room is always in the same lane, so its messages keep their order. */
function laneOf(roomId: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < roomId.length; index++) hash = Math.imul(hash ^ roomId.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % lanes;
}
