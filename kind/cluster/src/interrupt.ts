// One signal for Ctrl-C, SIGTERM, a closed terminal and a parent that has gone.

export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (why: string) => () => controller.abort(new Error(`stopped by ${why}`));
  process.on('SIGINT', stop('Ctrl-C'));
  process.on('SIGTERM', stop('SIGTERM'));
  process.on('SIGHUP', stop('SIGHUP'));
  process.on('disconnect', stop('the end of the parent process'));
  // Writing to a terminal that has gone must not end the process before it has cleaned up.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return controller.signal;
}

/** Waits, but not after a stop. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
