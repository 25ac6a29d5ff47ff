// What the rooms of users are told of their coming and going: only as much as the budget allows. Rooms for which there is too much news
// get a count instead.
import type { Change } from './news.ts';

/** Frames for one room each, per replica and in any second; beyond it rooms get counts (spec 04 §4.5). */
export const EVENTS_PER_SECOND = 200;
/** A room's count is told at most this often. */
export const COUNT_EVERY_MS = 1000;
/** Counts of one tick: each may cost a read. */
export const COUNTS_PER_TICK = 10;
/** Rooms that wait for their count; more are left out until their next news. */
const WAITING_MAX = 5000;

export interface AnnouncementPlan {
  /** room -> frames */
  frames: Map<string, object[]>;
  sent: number;
  suppressed: number;
}

/** A room that is told a count, and when its news came: an older count would be wrong. */
export type DueCount = readonly [roomId: string, newsAtMs: number];

export class Announcements {
  /** what was sent within the last second; a bucket would let twice the budget through in its first second */
  #recent: { atMs: number; count: number }[] = [];
  /** room -> when its count was told last */
  readonly #counted = new Map<string, number>();
  readonly #waiting = new Map<string, number>();

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
    this.#recent = this.#recent.filter(({ atMs }) => nowMs - atMs < 1000);
    let left = EVENTS_PER_SECOND - this.#recent.reduce((sum, { count }) => sum + count, 0);
    const plan: AnnouncementPlan = { frames: new Map(), sent: 0, suppressed: 0 };
    for (const [roomId, frames] of byRoom) {
      if (frames.length <= left) {
        plan.frames.set(roomId, frames);
        plan.sent += frames.length;
        left -= frames.length;
      } else {
        plan.suppressed += frames.length;
        this.waitForCount([roomId, nowMs]);
      }
    }
    if (plan.sent > 0) this.#recent.push({ atMs: nowMs, count: plan.sent });
    return plan;
  }

  waitForCount([roomId, newsAtMs]: DueCount): void {
    const known = this.#waiting.get(roomId);
    if (known !== undefined || this.#waiting.size < WAITING_MAX) this.#waiting.set(roomId, Math.max(known ?? 0, newsAtMs));
  }

  /** Rooms whose turn it is; they are told with `counted` or wait again. */
  takeDue(nowMs: number): DueCount[] {
    for (const [roomId, atMs] of this.#counted) if (nowMs - atMs >= COUNT_EVERY_MS) this.#counted.delete(roomId);
    const due: DueCount[] = [];
    for (const entry of this.#waiting) {
      if (due.length >= COUNTS_PER_TICK) break;
      if (!this.#counted.has(entry[0])) due.push(entry);
    }
    for (const [roomId] of due) this.#waiting.delete(roomId);
    return due;
  }

  counted(roomId: string, nowMs: number): void {
    this.#counted.set(roomId, nowMs);
  }
}

function frameOf(room_id: string, { userId, name, lastSeenMs }: Change): object {
  const about = { room_id, user_id: userId, user_name: name };
  if (lastSeenMs === undefined) return { type: 'user_online', ...about };
  return { type: 'user_offline', ...about, last_seen: new Date(lastSeenMs).toISOString() };
}
