// The relay of one database: takes the lock, runs turns while it holds it, starts over when it is lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, messageOf, Outage, type Log } from '@parley/kit/process';
import type { EventSink } from '../kafka/ports.ts';
import type { HeldLock, RelayLock } from '../locks/ports.ts';
import { relayTurn, type TurnOptions } from './turn.ts';

/** Pause between two looks into an empty outbox. */
const IDLE_MS = 200;
/** Longest pause after a failed turn. */
const PAUSE_MAX_MS = 5000;
/** How long a stop waits for the turn in flight; its rows stay in the outbox when that is not enough. */
const STOP_GRACE_MS = 10_000;

export interface RelayOptions extends Omit<TurnOptions, 'sink' | 'onSent' | 'onDeadLetter'> {
  name: string;
  lock: RelayLock;
  openSink: (events: { onTrouble: (reason: string) => void }) => EventSink;
  log: Log;
  onSent: TurnOptions['onSent'];
  onDeadLetter: TurnOptions['onDeadLetter'];
  /** true while this process is the one that sends */
  onActive: (active: boolean) => void;
}

export interface Relay {
  /** Finishes the turn in flight, gives the lock back. */
  stop(): Promise<void>;
}

export function startRelay(options: RelayOptions): Relay {
  const stopping = new AbortController();
  let current: EventSink | undefined;
  const running = run(options, stopping.signal, (sink) => (current = sink));
  return {
    async stop() {
      stopping.abort();
      const late = setTimeout(() => current?.abort('stopping'), STOP_GRACE_MS);
      await running;
      clearTimeout(late);
    },
  };
}

async function run(options: RelayOptions, stopping: AbortSignal, onSink: (sink: EventSink | undefined) => void): Promise<void> {
  const { log, lock, name } = options;
  const outage = outageOf(`${name} lock`, log);
  for (let failures = 0; !stopping.aborted;) {
    try {
      const held = await lock.acquire(stopping);
      outage.ended();
      failures = 0;
      if (held) await whileHeld(options, { held, stopping, onSink });
    } catch (error) {
      outage.began(messageOf(error));
      await pause(backoffMs(failures++, { maxMs: PAUSE_MAX_MS }), stopping);
    }
  }
}

interface Tenure {
  held: HeldLock;
  stopping: AbortSignal;
  onSink: (sink: EventSink | undefined) => void;
}

/** Another process may send from the moment the lock is lost, so this one stops at once, also in the middle of a request. */
async function whileHeld(options: RelayOptions, { held, stopping, onSink }: Tenure): Promise<void> {
  const { name, log, onActive } = options;
  const outage = outageOf(`${name} relay: Kafka or the database`, log);
  const sink = options.openSink({ onTrouble: (reason) => outage.began(reason) });
  onSink(sink);
  const lost = new AbortController();
  void held.lost.then((reason) => {
    lost.abort();
    sink.abort(`lock lost: ${reason}`);
    if (!stopping.aborted) log.warn({ reason }, 'relay lock lost; sending stopped');
  });
  // A turn that waits for a database that does not answer is abandoned with the lock. It can do no harm when it wakes up: it cannot
  // send any more, and it deletes only what was sent.
  const abandoned = held.lost.then((reason) => Promise.reject(new Error(reason)));
  abandoned.catch(() => undefined);
  const end = AbortSignal.any([stopping, lost.signal]);
  onActive(true);
  log.info('this process relays the outbox');
  try {
    for (let failures = 0; !end.aborted;) {
      try {
        const { more } = await Promise.race([relayTurn({ ...options, sink }), abandoned]);
        outage.ended();
        failures = 0;
        if (!more) await pause(IDLE_MS, end);
      } catch (error) {
        if (end.aborted) break;
        outage.began(messageOf(error));
        await pause(backoffMs(failures++, { maxMs: PAUSE_MAX_MS }), end);
      }
    }
  } finally {
    onActive(false);
    onSink(undefined);
    await sink.close();
    await held.release();
  }
}

const outageOf = (what: string, log: Log): Outage =>
  new Outage(log, { away: `${what} is away; events wait in the outbox`, back: `${what} is back` });

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
