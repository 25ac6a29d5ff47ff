// What clients of a run saw, in the order in which one process recorded it, and what the database holds at the end.

export type HistoryEvent =
  | { kind: 'sent'; user: number; room: string; id: string; content: string }
  | { kind: 'ack'; user: number; room: string; id: string; seq: number; entry: string }
  | { kind: 'refused'; user: number; room: string; id: string; code: string }
  /** the request; `join` numbers the joins of the run */
  | { kind: 'join'; join: number; user: number; room: string; afterSeq: number | undefined }
  | { kind: 'joined'; join: number; head: number; recovered: boolean; replayedFrom: number | undefined }
  | { kind: 'gap'; join: number; from: number; to: number }
  /** a frame, before `joined` by replay, after it live */
  | { kind: 'delivered'; join: number; seq: number; entry: string; content: string; sender: number }
  /** an entry of a gap, fetched by REST */
  | { kind: 'paged'; join: number; seq: number; entry: string; content: string; sender: number }
  /** the socket is out of the room: it left, was removed, joined anew or ended */
  | { kind: 'over'; join: number }
  /** nothing is sent any more and everything has had its time: whoever is in a room now must have all of it */
  | { kind: 'quiet' };

/** A row of the log. */
export interface StoredEntry {
  room: string;
  seq: number;
  entry: string;
  sender: number;
  id: string | null;
  content: string;
  /** for system entries that change who is a member */
  member: { user: number; active: boolean } | undefined;
}

/** A figure that must come back: sockets, queues, memory. */
export interface Sample {
  name: string;
  value: number;
  max: number;
}

export interface History {
  events: readonly HistoryEvent[];
  stored: readonly StoredEntry[];
  /** who was a member of each room before its first entry */
  members: ReadonlyMap<string, readonly number[]>;
  samples: readonly Sample[];
  /** events of other systems in the order of their arrival; undefined when the run had no Kafka */
  published: { room: string; seq: number }[] | undefined;
}
