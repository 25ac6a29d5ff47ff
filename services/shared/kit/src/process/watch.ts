// Keeps one readiness check up to date by asking a dependency at an interval.
import { messageOf } from './errors.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import { Outage } from './outage.ts';

/** A dependency, and how it is asked whether it is there. */
export interface Watch {
  health: Health;
  /** Name of the check in /readyz. */
  name: string;
  /** Throws when the dependency does not answer. */
  ping: () => Promise<unknown>;
  log: Log;
  intervalMs?: number;
  /** An answer that takes longer counts as none: a frozen server keeps its connections open. */
  timeoutMs?: number;
}

/** Asks at once and then every `intervalMs`; one line in the log at each change. Returns the function that ends it. */
export function watchDependency({ health, name, ping, log, intervalMs = 2000, timeoutMs = 2000 }: Watch): () => void {
  const outage = new Outage(log, { away: 'dependency is away', back: 'dependency is back', fields: { dependency: name } });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const report = (reason: string | undefined) => {
    if (stopped) return;
    health.set(name, reason);
    if (reason === undefined) outage.ended();
    else outage.began(reason);
    timer = setTimeout(ask, intervalMs);
  };
  const ask = () => {
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    Promise.race([ping(), late])
      .then(
        () => report(undefined),
        (error: unknown) => report(messageOf(error)),
      )
      .finally(() => clearTimeout(limit));
  };
  ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
