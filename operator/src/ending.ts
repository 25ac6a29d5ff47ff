// How the process of the operator ends: it is told to, the lease is lost, or its work fails. It never stays and does nothing.
import type { Log } from '@parley/kit/process';
import { systemClock, type Clock } from './kube/clock.ts';
import type { Operator } from './service.ts';

/** What runs may end and the lease is given away in this time; the kubelet kills after 30 seconds. */
const STOP_MS = 20_000;

/** The process, as far as its end goes. */
export interface Process {
  /** calls once when the signal comes */
  once: (signal: 'SIGTERM' | 'SIGINT', run: () => void) => unknown;
  exit: (code: number) => void;
}

/** Exit code 0 after a stop that was asked for; 1 when the lease is lost, the work or the stop fails, or the stop takes too long. */
export function endWith(
  { done, stop }: Pick<Operator, 'done' | 'stop'>,
  process: Process,
  { log, clock = systemClock }: { log: Pick<Log, 'info' | 'error' | 'fatal'>; clock?: Clock },
): void {
  let stopping = false;
  const end = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    clock.after(STOP_MS, () => {
      log.error({ afterMs: STOP_MS }, 'the stop took too long; ending now');
      process.exit(1);
    });
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ reason: String(error) }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end(signal));
  done.then(
    // Another replica may lead by now: nothing of this process may go on.
    (how) => how === 'lost' && process.exit(1),
    (error: unknown) => {
      // A stop while it waits for the lease ends the wait by a failure.
      if (stopping) return;
      log.fatal({ reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'the work failed; ending');
      process.exit(1);
    },
  );
}
