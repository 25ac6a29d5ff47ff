// Whom a message is worth a notification, and what it says. Pure.
import type { Entry } from '@parley/protocol';

/** Rooms with more members are read by whoever looks; a notification for each of their messages is noise. */
export const NOTIFIED_MEMBERS_MAX = 200;
/** Who comes back after an outage of this length does not want to be told of every message in it. */
export const NOTIFIED_AGE_MAX_MS = 3_600_000;
const PREVIEW_CHARACTERS = 200;

export interface Notification {
  /** Dedupe key: that of the event. */
  event_id: string;
  room_id: string;
  seq: number;
  message_id: string;
  sender_id: number;
  sender_name: string;
  created_at: string;
  /** Who is offline. */
  user_ids: number[];
  /** The beginning of the content. */
  preview: string;
}

export type Verdict = 'notify' | 'system' | 'old' | 'large' | 'nobody';

/** Before presence is asked: whom it has to be asked of. */
export function candidatesOf(
  entry: Entry,
  members: readonly number[] | 'many' | undefined,
  now: Date,
): { verdict: Verdict; userIds: number[] } {
  const none = (verdict: Verdict) => ({ verdict, userIds: [] });
  if (entry.kind !== 'message') return none('system');
  if (now.getTime() - Date.parse(entry.created_at) > NOTIFIED_AGE_MAX_MS) return none('old');
  if (members === 'many') return none('large');
  const userIds = (members ?? []).filter((userId) => userId !== entry.sender_id);
  return userIds.length === 0 ? none('nobody') : { verdict: 'notify', userIds };
}

export function notificationOf(eventId: string, entry: Entry, userIds: readonly number[]): Notification {
  return {
    event_id: eventId,
    room_id: entry.room_id,
    seq: entry.seq,
    message_id: entry.id,
    sender_id: entry.sender_id,
    sender_name: entry.sender_name,
    created_at: entry.created_at,
    user_ids: [...userIds],
    // By characters, not by units of UTF-16: half an emoji is no text.
    preview: [...entry.content].slice(0, PREVIEW_CHARACTERS).join(''),
  };
}
