// Who works: the replica that has the lease, and as long as it has it.
import type { Log } from '@parley/kit/process';
import type { Lease } from './kube/lease.ts';

interface Leadership {
  lease: Pick<Lease, 'acquire' | 'hold'>;
  /** begins to work; resolves when everything is on its way */
  begin: () => Promise<void>;
  /** told when this replica becomes the leader, and when it is no longer */
  onChange: (leads: boolean) => void;
  log: Pick<Log, 'info' | 'error'>;
}

/** Waits for the lease, begins, and resolves with the reason of the end. Throws when the work cannot begin. */
export async function lead({ lease, begin, onChange, log }: Leadership): Promise<'lost' | 'released'> {
  log.info('waiting for the lease');
  await lease.acquire();
  onChange(true);
  log.info('leading');
  const held = lease.hold();
  // Watches that never sync must not keep a lost lease from being noticed.
  await Promise.race([begin(), held]);
  const end = await held;
  onChange(false);
  if (end === 'lost') log.error('the lease is lost');
  return end;
}
