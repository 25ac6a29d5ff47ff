// After a commit of this replica's writer, in one turn: its own sockets through the room's sequencer, one payload a room for the
// others, and a note for those members who do not look at the room.
import { encodeEntryFrame, type RoomBatch, type RoomUpdates } from '@parley/chat-store';
import { encodeFanout, roomChannel } from '@parley/live';
import type { Fanout } from '../ports.ts';
import type { RoomRegistry } from './room-registry.ts';

export interface Announcement {
  rooms: RoomRegistry;
  fanout: Fanout;
  updates: RoomUpdates;
  instance: string;
}

export function announceCommit({ rooms, fanout, updates, instance }: Announcement, batches: readonly RoomBatch[]): void {
  for (const { roomId, fromSeq, entries, memberVersion } of batches) {
    const frames = entries.map(encodeEntryFrame);
    rooms.accept(roomId, { first: fromSeq, frames });
    fanout.publish(roomChannel(roomId), encodeFanout({ seq: fromSeq, from: instance }, frames));
    const newest = entries.at(-1);
    if (newest) updates.add({ roomId, lastSeq: newest.seq, lastMessageAt: newest.created_at, memberVersion });
  }
}
