// The work with the records of one partition: checked, handed on in chunks, tried again, set aside, committed. Knows nothing of kafkajs.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, messageOf, type Log } from '@parley/kit/process';
import { consumedLetter, isFor, type Letter } from '../letters/consumer-letter.ts';
import { parseEvent } from './event-schemas.ts';
import { isPassing } from './failure.ts';
import { RecordRejected, type EventHandler, type RawRecord, type ReceivedEvent } from './ports.ts';

/** Records that a handler gets at once: enough for one statement to the database to serve many. */
const CHUNK = 100;
/** Of a record that fails for a reason of its own. */
const TRIES_MAX = 5;
const PAUSE_MAX_MS = 5000;

export interface WorkOptions {
  handler: EventHandler;
  log: Log;
  /** Aborted when the partition may belong to another process from now on, or this one ends. */
  signal: AbortSignal;
  setAside: (letters: readonly Letter[]) => Promise<void>;
  /** Everything up to and including this record is done with. */
  commit: (last: RawRecord) => Promise<void>;
  onConsumed: (topic: string, count: number) => void;
  onRetry: (reason: string) => void;
  onDeadLetter: (topic: string) => void;
  triesMax?: number;
  pauseMs?: (failures: number) => number;
}

interface Item {
  record: RawRecord;
  received: ReceivedEvent;
}

/** Handles all records in their order; throws when `signal` is aborted, having committed what was done before. */
export async function workThrough(records: readonly RawRecord[], options: WorkOptions): Promise<void> {
  for (let start = 0; start < records.length; start += CHUNK) {
    const chunk = records.slice(start, start + CHUNK);
    await workChunk(chunk, options);
    const last = chunk.at(-1);
    if (last) await options.commit(last);
  }
}

async function workChunk(chunk: readonly RawRecord[], options: WorkOptions): Promise<void> {
  const { handler } = options;
  const items: Item[] = [];
  for (const record of chunk) {
    if (!isFor(handler.name, record)) continue;
    const parsed = parseEvent(record.topic, record.value);
    if ('problem' in parsed) await setAside(record, { reason: 'unreadable', error: parsed.problem, tries: 0 }, options);
    else items.push({ record, received: parsed });
  }
  if (items.length > 0 && !(await tryTogether(items, options))) for (const item of items) await tryAlone(item, options);
  options.onConsumed(chunk[0]?.topic ?? '', chunk.length);
}

/** false: at least one of them fails for a reason of its own, so they have to be handed over one by one. */
async function tryTogether(items: readonly Item[], options: WorkOptions): Promise<boolean> {
  const failure = await whilePassing(() => handle(items, options), options);
  return failure === undefined;
}

async function tryAlone(item: Item, options: WorkOptions): Promise<void> {
  const { triesMax = TRIES_MAX } = options;
  for (let tries = 1; ; tries++) {
    const failure = await whilePassing(() => handle([item], options), options);
    if (failure === undefined) return await options.commit(item.record);
    if (failure.error instanceof RecordRejected || tries >= triesMax) {
      const reason = failure.error instanceof RecordRejected ? 'rejected' : 'failed';
      await setAside(item.record, { reason, error: messageOf(failure.error), tries }, options);
      return;
    }
    await pause(tries, failure.error, options);
  }
}

const handle = (items: readonly Item[], { handler, signal }: WorkOptions): Promise<void> =>
  handler.handle(
    items.map(({ received }) => received),
    signal,
  );

/** Waits for what is away however long it takes: a consumer that is behind catches up, a thousand dead letters have to be read. */
async function whilePassing(work: () => Promise<void>, options: WorkOptions): Promise<{ error: unknown } | undefined> {
  for (let failures = 1; ; failures++) {
    options.signal.throwIfAborted();
    try {
      await work();
      return undefined;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isPassing(error)) return { error };
      await pause(failures, error, options);
    }
  }
}

async function pause(failures: number, error: unknown, { signal, onRetry, pauseMs }: WorkOptions): Promise<void> {
  onRetry(messageOf(error));
  const ms = pauseMs?.(failures) ?? backoffMs(failures - 1, { maxMs: PAUSE_MAX_MS });
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

async function setAside(record: RawRecord, why: { reason: string; error: string; tries: number }, options: WorkOptions): Promise<void> {
  const { handler, log, onDeadLetter } = options;
  const letter = consumedLetter(record, { ...why, group: handler.name, at: new Date() });
  const failure = await whilePassing(() => options.setAside([letter]), options);
  // Not even the dead letter can be written: the record stays uncommitted and the consumer starts over, loudly.
  if (failure) throw failure.error;
  const { topic, partition, offset } = record;
  log.error({ topic, partition, offset, ...why }, 'record set aside as a dead letter');
  onDeadLetter(topic);
}
