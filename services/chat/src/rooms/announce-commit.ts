// After a commit of this replica's writer, in one turn: its own sockets through the room's sequencer, one payload a room for the
// others, and a note for those members who do not look at the room.
import type { RoomBatch, RoomUpdates } from '@parley/chat-store';
import { newsOf } from '@parley/live/commit';
import type { Fanout } from '../ports.ts';
import type { RoomRegistry } from './room-registry.ts';

export interface Announcement {
  rooms: RoomRegistry;
  fanout: Fanout;
  updates: RoomUpdates;
  instance: string;
}

export function announceCommit({ rooms, fanout, updates, instance }: Announcement, batches: readonly RoomBatch[]): void {
  for (const batch of batches) {
    const { channel, payload, frames, grown } = newsOf(batch, instance);
    rooms.accept(batch.roomId, { first: batch.fromSeq, frames });
    fanout.publish(channel, payload);
    updates.add(grown);
  }
}
