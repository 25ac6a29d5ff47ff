// The lock that makes a process the only relay of a database.

/** A lock that this process has, as long as it is not lost. */
export interface HeldLock {
  readonly isLost: boolean;
  /** Resolves with the reason when the lock can no longer be counted on; never rejects. */
  readonly lost: Promise<string>;
  release(): Promise<void>;
}

/** The lock of one database: at most one process has it. */
export interface RelayLock {
  /** Waits a few seconds for the lock. undefined: another process has it, or `signal` was aborted. Throws when the database is away. */
  acquire(signal: AbortSignal): Promise<HeldLock | undefined>;
}
