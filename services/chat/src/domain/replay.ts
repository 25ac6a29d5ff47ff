// What a join with after_seq gets: everything, the newest part and a gap, or the news that its position does not exist here.

export interface ReplayRequest {
  afterSeq: number | undefined;
  epoch: string | undefined;
}

export interface ReplayPlan {
  /** false: the client holds a position that this database never gave; it must fetch the room anew */
  recovered: boolean;
  /** first seq to send, or undefined when there is nothing to send */
  from: number | undefined;
  /** older part that has to be fetched by REST */
  gap: { from: number; to: number } | undefined;
}

/** Decides the replay of a join for a room whose newest entry is `head`. */
export function planReplay({ afterSeq, epoch }: ReplayRequest, room: { head: number; epoch: string }, replayMax: number): ReplayPlan {
  if (afterSeq === undefined) return { recovered: true, from: undefined, gap: undefined };
  if (afterSeq > room.head || (epoch !== undefined && epoch !== room.epoch)) return { recovered: false, from: undefined, gap: undefined };
  if (afterSeq === room.head) return { recovered: true, from: undefined, gap: undefined };
  const from = Math.max(afterSeq + 1, room.head - replayMax + 1);
  return { recovered: true, from, gap: from > afterSeq + 1 ? { from: afterSeq + 1, to: from - 1 } : undefined };
}
