// `join_room`: replay and live delivery without a hole between them (spec 02 §2.4, ADR 0006).
import { REPLAY_MAX, ROOMS_PER_SOCKET_MAX, type JoinRoomFrame } from '@parley/protocol';
import type { Membership } from '@parley/chat-store';
import { messageOf } from '@parley/kit/process';
import type { ChatContext } from '../context.ts';
import { planReplay, type ReplayPlan } from '../domain/replay.ts';
import type { RoomFeed } from '../rooms/room-feed.ts';
import { RoomReplay } from '../rooms/room-replay.ts';
import { JoinInProgress, type Session } from '../sockets/session.ts';
import { sendError } from './answers.ts';
import { leave } from './room-commands.ts';

/** Never throws: what goes wrong is told. */
export async function join(context: ChatContext, session: Session, frame: JoinRoomFrame): Promise<void> {
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
    // The socket left, joined again, was removed or closed while the database answered.
    if (session.state !== 'open' || session.room(room_id) !== joining) return feed.release();
    const asked = { afterSeq: frame.after_seq, epoch: frame.epoch };
    const plan = planReplay(asked, { head: feed.last, epoch: context.rooms.epoch }, REPLAY_MAX);
    replay(context, session, { feed, joining, membership, plan });
  } catch (error) {
    if (feed) feed.release();
    fail(context, session, { joining, error });
  }
}

function fail(context: ChatContext, session: Session, { joining, error }: { joining: JoinInProgress; error: unknown }): void {
  const { roomId } = joining;
  context.log.warn({ room_id: roomId, reason: messageOf(error) }, 'a join failed');
  // A later join of this socket has taken its place, or it has left: nobody waits for this answer.
  if (session.room(roomId) !== joining) return;
  session.deleteRoom(roomId);
  sendError(context, session, 'unavailable', { room_id: roomId, retry_after_ms: 1000 });
}

/** Also for a room that does not exist: who is no member learns nothing about it. */
function refuseStranger(context: ChatContext, session: Session, { feed, joining }: { feed: RoomFeed; joining: JoinInProgress }): void {
  feed.release();
  session.freeJoinsFailed++;
  if (session.room(feed.roomId) !== joining) return;
  session.deleteRoom(feed.roomId);
  sendError(context, session, 'not_a_member', { room_id: feed.roomId });
}

interface Replay {
  feed: RoomFeed;
  joining: JoinInProgress;
  membership: Membership;
  plan: ReplayPlan;
}

/**
 * Gap, replay and what comes meanwhile as fast as the client reads; `joined` and the subscription in the turn of the last frame. The feed
 * has everything up to its newest entry, in its ring or in the database, and the topic delivers everything from then on, so nothing falls
 * between.
 */
function replay(context: ChatContext, session: Session, { feed, joining, membership, plan }: Replay): void {
  const { roomId } = feed;
  // Every removal up to the feed's newest entry is known, and no newer entry is sent.
  const isRemoved = () => joining.endedAt > membership.lastSeq;
  if (plan.gap && !isRemoved()) session.send({ type: 'gap', room_id: roomId, ...plan.gap });
  const answer = new RoomReplay({
    feed,
    from: plan.from,
    isWanted: () => session.state === 'open' && session.room(roomId) === joining && !isRemoved(),
    wake: () => session.goOn(),
    onEnd: () => finish(context, session, { feed, membership, plan }),
    onFailure: (error) => {
      feed.release();
      fail(context, session, { joining, error });
    },
    onDropped: () => (isRemoved() ? refuseStranger(context, session, { feed, joining }) : feed.release()),
  });
  session.sendPaged(answer);
}

function finish(context: ChatContext, session: Session, { feed, membership, plan }: Omit<Replay, 'joining'>): void {
  const { roomId } = feed;
  session.send({
    type: 'joined',
    room_id: roomId,
    epoch: context.rooms.epoch,
    seq: feed.last,
    recovered: plan.recovered,
    ...(plan.from === undefined ? {} : { replayed_from: plan.from }),
    last_read_seq: membership.lastReadSeq,
    unread_count: Math.max(0, membership.messageCount - membership.lastReadCount),
  });
  session.subscribe(roomId);
  session.setRoom(feed);
  context.presence
    .ofRoom(roomId, session.identity?.userId ?? 0)
    .then((frame) => {
      if (session.room(roomId) === feed) session.send(frame);
    })
    .catch(() => {});
}
