// How a commit becomes news: what other replicas are told of new entries of a room. A door of its own, because it knows the store.
import { encodeEntryFrame, type GrownRoom, type RoomBatch } from '@parley/chat-store';
import type { Entry } from '@parley/protocol';
import { encodeFanout, roomChannel } from './fanout.ts';

/** What one batch of a room is to others. */
export interface CommitNews {
  /** Where `payload` goes. */
  channel: string;
  payload: Buffer;
  /** One `message` frame for each entry, as in the payload: for the sockets of this process. */
  frames: Buffer[];
  /** For members who do not look at the room. */
  grown: GrownRoom;
}

/** `from` is the instance that committed. The batch has at least one entry, ascending from `fromSeq`. */
export function newsOf({ roomId, fromSeq, entries, memberVersion }: Batch, from: string): CommitNews {
  const frames = entries.map(encodeEntryFrame);
  const newest = entries.at(-1)!;
  // Receivers look into system entries: they may end a membership.
  const sys = entries.some(({ kind }) => kind === 'system') ? { sys: true as const } : {};
  return {
    channel: roomChannel(roomId),
    payload: encodeFanout({ seq: fromSeq, from, ...sys }, frames),
    frames,
    grown: { roomId, lastSeq: newest.seq, lastMessageAt: newest.created_at, memberVersion },
  };
}

type Batch = Pick<RoomBatch, 'roomId' | 'fromSeq' | 'memberVersion'> & { entries: readonly Entry[] };
