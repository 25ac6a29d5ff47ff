// `join_room`: replay and live delivery without a hole between them (spec 02 §2.4, ADR 0006).
import { REPLAY_MAX, ROOMS_PER_SOCKET_MAX, type JoinRoomFrame } from '@parley/protocol';
import { encodeEntryFrame, type Membership } from '@parley/chat-store';
import { messageOf } from '@parley/kit';
import type { ChatContext } from '../context.ts';
import { planReplay, type ReplayPlan } from '../domain/replay.ts';
import type { RoomFeed } from '../room-feed.ts';
import type { RoomMembership, Session } from '../session.ts';
import { sendError } from './send-error.ts';

export async function joinRoom(context: ChatContext, session: Session, frame: JoinRoomFrame): Promise<void> {
  const { room_id } = frame;
  session.rooms ??= new Map<string, RoomMembership>();
  const { rooms } = session;
  const before = rooms.get(room_id);
  if (!before && rooms.size >= ROOMS_PER_SOCKET_MAX) return sendError(context, session, 'too_many_rooms', { room_id });
  // A second join of a joined room is a request for what is missing: leave first, so that replay and live frames do not mix.
  if (before) leave(context, session, room_id);
  const joining: RoomMembership = { joined: false };
  rooms.set(room_id, joining);
  let feed: RoomFeed | undefined;
  try {
    const membership = await context.reader.membership(room_id, session.identity?.userId ?? 0);
    if (!membership) {
      if (rooms.get(room_id) === joining) rooms.delete(room_id);
      return sendError(context, session, 'not_a_member', { room_id });
    }
    feed = await context.rooms.acquire(room_id);
    // Another replica may have acked more than has arrived here: a client never sees the room go back.
    await feed.catchUp(membership.lastSeq);
    const asked = { afterSeq: frame.after_seq, epoch: frame.epoch };
    const plan = planReplay(asked, { head: feed.last, epoch: context.epoch }, REPLAY_MAX);
    const older = plan.from === undefined ? [] : await readOlder(context, feed, plan.from);
    // The socket left, joined again or closed while the database answered.
    if (session.state !== 'open' || rooms.get(room_id) !== joining) return context.rooms.release(feed);
    deliver(context, session, { feed, membership, plan, older });
  } catch (error) {
    if (feed) context.rooms.release(feed);
    if (rooms.get(room_id) === joining) rooms.delete(room_id);
    context.log.warn({ room_id, reason: messageOf(error) }, 'a join failed');
    sendError(context, session, 'unavailable', { room_id, retry_after_ms: 1000 });
  }
}

/** Reads from the database until the feed's ring reaches what was read. */
async function readOlder(context: ChatContext, feed: RoomFeed, from: number): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  while (feed.recent(from + frames.length) === undefined) {
    const entries = await context.reader.entriesAfter(feed.roomId, from + frames.length - 1, REPLAY_MAX);
    if (entries.length === 0) break;
    for (const entry of entries) frames.push(encodeEntryFrame(entry));
  }
  return frames;
}

interface Delivery {
  feed: RoomFeed;
  membership: Membership;
  plan: ReplayPlan;
  older: readonly Buffer[];
}

/**
 * One synchronous turn: gap, replay, what came meanwhile, `joined`, subscription. The ring holds everything between the read and now,
 * and the topic delivers everything from now on, so nothing falls between.
 */
function deliver(context: ChatContext, session: Session, { feed, membership, plan, older }: Delivery): void {
  const { ws } = session;
  if (!ws) return;
  const { roomId } = feed;
  const recent = plan.from === undefined ? [] : (feed.recent(plan.from + older.length) ?? []);
  ws.cork(() => {
    if (plan.gap) ws.send(JSON.stringify({ type: 'gap', room_id: roomId, ...plan.gap }));
    // The database may be ahead of the feed; what is newer than `last` is still to come by the topic.
    const undelivered = plan.from === undefined ? 0 : Math.max(0, plan.from + older.length - 1 - feed.last);
    for (const frame of older.slice(0, older.length - undelivered)) ws.send(frame);
    for (const frame of recent) ws.send(frame);
    const unread = Math.max(0, membership.messageCount - membership.lastReadCount);
    ws.send(
      JSON.stringify({
        type: 'joined',
        room_id: roomId,
        epoch: context.epoch,
        seq: feed.last,
        recovered: plan.recovered,
        ...(plan.from === undefined ? {} : { replayed_from: plan.from }),
        last_read_seq: membership.lastReadSeq,
        unread_count: unread,
      }),
    );
    ws.subscribe(roomId);
  });
  session.rooms?.set(roomId, { joined: true, feed });
}

/** Takes the socket out of a room; a join that is under way notices by itself. */
export function leave(context: ChatContext, session: Session, roomId: string): void {
  const room = session.rooms?.get(roomId);
  session.rooms?.delete(roomId);
  if (!room?.joined) return;
  if (session.state === 'open') session.ws?.unsubscribe(roomId);
  context.rooms.release(room.feed);
}
