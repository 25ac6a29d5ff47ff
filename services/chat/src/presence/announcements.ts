// What the rooms of users are told of their coming and going: net changes of a tick, and only as many as the budget allows. Rooms for
// which there is too much news get a count instead.
import { LocalBucket, type BucketLimit } from '@parley/kit';

/** Frames for one room each, per replica; beyond it rooms get counts (spec 04 §4.5). */
export const EVENT_BUDGET: BucketLimit = { burst: 200, perSecond: 200 };
/** A room's count is told at most this often. */
export const COUNT_EVERY_MS = 1000;
/** Counts of one tick: each costs a read. */
export const COUNTS_PER_TICK = 10;
/** Rooms that wait for their count; more are left out until their next news. */
const WAITING_MAX = 5000;

export interface Change {
  userId: number;
  name: string;
  /** undefined: online; otherwise when the user was last seen, milliseconds since 1970 */
  lastSeenMs: number | undefined;
}

export interface AnnouncementPlan {
  /** room -> frames */
  frames: Map<string, object[]>;
  sent: number;
  suppressed: number;
}

export class Announcements {
  readonly #bucket = new LocalBucket();
  /** room -> when its count was told last */
  readonly #counted = new Map<string, number>();
  readonly #waiting = new Set<string>();

  /** Decides which rooms are told of which changes. Rooms that get nothing wait for a count. */
  plan(changes: readonly Change[], roomsOf: ReadonlyMap<number, readonly string[]>, nowMs: number): AnnouncementPlan {
    const byRoom = new Map<string, object[]>();
    for (const change of changes) {
      for (const roomId of roomsOf.get(change.userId) ?? []) {
        const frames = byRoom.get(roomId);
        if (frames) frames.push(frameOf(roomId, change));
        else byRoom.set(roomId, [frameOf(roomId, change)]);
      }
    }
    const plan: AnnouncementPlan = { frames: new Map(), sent: 0, suppressed: 0 };
    for (const [roomId, frames] of byRoom) {
      // More than the burst at once never fits: such a room gets its count.
      if (frames.length <= EVENT_BUDGET.burst && this.#bucket.take(EVENT_BUDGET, nowMs, frames.length) === 0) {
        plan.frames.set(roomId, frames);
        plan.sent += frames.length;
      } else {
        plan.suppressed += frames.length;
        if (this.#waiting.size < WAITING_MAX) this.#waiting.add(roomId);
      }
    }
    return plan;
  }

  /** Rooms whose count is told now. */
  takeCounts(nowMs: number): string[] {
    const due: string[] = [];
    for (const roomId of this.#waiting) {
      if (due.length >= COUNTS_PER_TICK) break;
      if (nowMs - (this.#counted.get(roomId) ?? -Infinity) < COUNT_EVERY_MS) continue;
      this.#waiting.delete(roomId);
      this.#counted.set(roomId, nowMs);
      due.push(roomId);
    }
    for (const [roomId, atMs] of this.#counted) if (nowMs - atMs >= COUNT_EVERY_MS) this.#counted.delete(roomId);
    return due;
  }
}

function frameOf(room_id: string, { userId, name, lastSeenMs }: Change): object {
  const about = { room_id, user_id: userId, user_name: name };
  if (lastSeenMs === undefined) return { type: 'user_online', ...about };
  return { type: 'user_offline', ...about, last_seen: new Date(lastSeenMs).toISOString() };
}
