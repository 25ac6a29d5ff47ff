// `join_room`: replay and live delivery without a hole between them (spec 02 §2.4, ADR 0006).
import { FREE_JOINS_MS, REPLAY_MAX, ROOMS_PER_SOCKET_MAX, type JoinRoomFrame } from '@parley/protocol';
import type { Membership } from '@parley/chat-store';
import { messageOf } from '@parley/kit/process';
import type { ChatContext } from '../context.ts';
import { planReplay, type ReplayPlan } from '../domain/replay.ts';
import type { RoomFeed } from '../rooms/room-feed.ts';
import { JoinInProgress, type Session } from '../session.ts';
import { leave } from './leave-room.ts';
import { limited } from './limited.ts';
import { sendError } from './send-error.ts';

/** Joins of rooms that are not the user's, after which the free ones end. */
const FREE_FAILURES_MAX = 10;

/** After a reconnect a client joins all its rooms at once: these joins are free, so that a resume is never refused. */
export function join(context: ChatContext, session: Session, frame: JoinRoomFrame): void {
  const free =
    Date.now() - session.openedAtMs < FREE_JOINS_MS && !session.room(frame.room_id) && session.freeJoinsFailed < FREE_FAILURES_MAX;
  if (free) {
    return context.limits.roomAction.pass(String(session.identity?.userId ?? 0), () => {
      if (session.state === 'open') void joinRoom(context, session, frame);
    });
  }
  limited(context, session, { kind: 'room_action', about: { room_id: frame.room_id } }, () => void joinRoom(context, session, frame));
}

async function joinRoom(context: ChatContext, session: Session, frame: JoinRoomFrame): Promise<void> {
  const { room_id } = frame;
  // A second join of a joined room is a request for what is missing: leave first, so that replay and live frames do not mix.
  if (session.room(room_id)) leave(context, session, room_id);
  else if (session.roomCount >= ROOMS_PER_SOCKET_MAX) return sendError(context, session, 'too_many_rooms', { room_id });
  const joining = new JoinInProgress(room_id);
  session.setRoom(joining);
  let feed: RoomFeed | undefined;
  try {
    feed = await context.rooms.acquire(room_id);
    // Read after the subscription stands: a removal that is committed later than this read is seen by the feed.
    const userId = session.identity?.userId ?? 0;
    let membership = await context.memberships.load(room_id, userId);
    if (membership) feed.start(membership.lastSeq);
    // Another join has started the feed behind a later entry, which may be the removal of this user: nobody announces it here any more.
    if (membership && membership.lastSeq < feed.startedAt) membership = await context.memberships.load(room_id, userId);
    if (!membership) return refuseStranger(context, session, { feed, joining });
    // Another replica may have acked more than has arrived here: a client never sees the room go back.
    await feed.catchUp(membership.lastSeq);
    if (joining.endedAt > membership.lastSeq) return refuseStranger(context, session, { feed, joining });
    const asked = { afterSeq: frame.after_seq, epoch: frame.epoch };
    const plan = planReplay(asked, { head: feed.last, epoch: context.rooms.epoch }, REPLAY_MAX);
    const older = plan.from === undefined ? [] : await feed.older(plan.from);
    // The socket left, joined again, was removed or closed while the database answered.
    if (session.state !== 'open' || session.room(room_id) !== joining) return context.rooms.release(feed);
    if (joining.endedAt > membership.lastSeq) return refuseStranger(context, session, { feed, joining });
    deliver(context, session, { feed, membership, plan, older });
  } catch (error) {
    if (feed) context.rooms.release(feed);
    context.log.warn({ room_id, reason: messageOf(error) }, 'a join failed');
    // A later join of this socket has taken its place, or it has left: nobody waits for this answer.
    if (session.room(room_id) !== joining) return;
    session.deleteRoom(room_id);
    sendError(context, session, 'unavailable', { room_id, retry_after_ms: 1000 });
  }
}

/** Also for a room that does not exist: who is no member learns nothing about it. */
function refuseStranger(context: ChatContext, session: Session, { feed, joining }: { feed: RoomFeed; joining: JoinInProgress }): void {
  context.rooms.release(feed);
  session.freeJoinsFailed++;
  if (session.room(feed.roomId) !== joining) return;
  session.deleteRoom(feed.roomId);
  sendError(context, session, 'not_a_member', { room_id: feed.roomId });
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
        epoch: context.rooms.epoch,
        seq: feed.last,
        recovered: plan.recovered,
        ...(plan.from === undefined ? {} : { replayed_from: plan.from }),
        last_read_seq: membership.lastReadSeq,
        unread_count: unread,
      }),
    );
    ws.subscribe(roomId);
  });
  session.setRoom(feed);
  context.presence
    .ofRoom(roomId, session.identity?.userId ?? 0)
    .then((frame) => {
      if (session.room(roomId) === feed) session.send(frame);
    })
    .catch(() => {});
}
