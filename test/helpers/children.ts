// Programs that a test starts end with it, also when it is killed.
import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();
let watching = false;

/** A signal ends the process as `process.exit` does: what listens to `exit` runs. */
export function exitOnSignals(): void {
  if (watching) return;
  watching = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
  process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
}

export function endWithUs<T extends ChildProcess>(child: T): T {
  exitOnSignals();
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
