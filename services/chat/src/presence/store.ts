// Who is online where, over all replicas (ADR 0007). An instance holds a lease and a list of its users; a user is online who is in
// the list of an instance whose lease runs. A crashed instance says nothing any more, and its lease ends.

export type Names = ReadonlyMap<number, string>;

export interface Beat {
  /** kept: as this instance wrote it; empty: Redis has none; claimed: another instance took it, and told of its users */
  list: 'kept' | 'empty' | 'claimed';
  /** The lease still ran. Otherwise Redis or this instance was away for long, and others perhaps too. */
  inTime: boolean;
  /** instances whose lease has ended */
  gone: string[];
}

/** Every call may reject when Redis is away. */
export interface PresenceStore {
  /** Renews this instance's lease. */
  beat: () => Promise<Beat>;
  /**
   * Takes the lists of instances that are still gone; each list goes to one caller only. Not part of the beat: beats that waited for a
   * frozen server would claim lists with nobody to hear of it.
   */
  claim: (instances: readonly string[]) => Promise<Names>;
  /** Adds users to this instance's list. Resolves with those who are online nowhere else: the same when it is tried again. */
  add: (users: Names) => Promise<Set<number>>;
  /** Takes users off this instance's list. Resolves with those who are online nowhere now. */
  remove: (userIds: readonly number[], seenAtMs: number) => Promise<Set<number>>;
  /** Those of the users who are online anywhere. */
  online: (userIds: readonly number[]) => Promise<Set<number>>;
  /** When users went offline, milliseconds since 1970; unknown ones are absent. */
  lastSeen: (userIds: readonly number[]) => Promise<Map<number, number>>;
  /** The instance goes away in order: its lease ends after `graceMs`, then another one looks after its users. */
  leave: (graceMs: number) => Promise<void>;
}

/** How long an instance counts as alive after its last beat. With the beat's interval: nobody is online longer than 20 s after a crash. */
export const LEASE_MS = 14_000;
export const BEAT_EVERY_MS = 5_000;
