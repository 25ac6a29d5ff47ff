// The books of one room: what was acked, what each socket has seen, and what that means. Pure: every call brings its time.
//
// A socket applies `seq == last + 1` only, as the protocol asks of a client. Anything else is a broken promise of the server:
// a position that it has seen already is a duplicate, a position too far is out of order, and an acked one that a joined socket
// has not reached in time is lost. What was never acked may be missing: nobody was told that it is safe.

/** What became of the messages so far, each number since the start. */
export interface Counts {
  lost: number;
  duplicated: number;
  misordered: number;
}

interface Place {
  last: number;
  /** joined since; undefined while the socket is away */
  since: number | undefined;
  /** a repair is under way: the gap is counted once */
  gap: boolean;
}

/** Acked messages are remembered this many times the limit: a socket that stays away longer is no longer measured by them. */
const REMEMBERED = 20;

/** Keeps what was sent, acked and delivered, and counts which promise was broken. Times are milliseconds. */
export class Ledger {
  readonly #lostAfterMs: number;
  readonly #places = new Map<string, Place>();
  readonly #acked = new Map<number, { atMs: number; missedBy: Set<string> }>();
  readonly #seqOf = new Map<string, number>();
  readonly counts: Counts = { lost: 0, duplicated: 0, misordered: 0 };

  constructor(lostAfterMs: number) {
    this.#lostAfterMs = lostAfterMs;
  }

  /** Where a socket shall resume; undefined: it has no place yet. */
  lastOf(socket: string): number | undefined {
    return this.#places.get(socket)?.last;
  }

  /** The answer to a join. Without `recovered` the socket starts anew at the room's position. */
  joined(socket: string, { seq, recovered, atMs }: { seq: number; recovered: boolean; atMs: number }): void {
    const place = this.#places.get(socket);
    if (place && recovered) Object.assign(place, { since: atMs, gap: false });
    else this.#places.set(socket, { last: seq, since: atMs, gap: false });
  }

  /** The socket is away; what it misses it gets when it resumes. */
  left(socket: string): void {
    const place = this.#places.get(socket);
    if (place) place.since = undefined;
  }

  /** The socket will not come back. */
  forget(socket: string): void {
    this.#places.delete(socket);
  }

  acked(id: string, seq: number, atMs: number): void {
    this.#same(id, seq);
    if (!this.#acked.has(seq)) this.#acked.set(seq, { atMs, missedBy: new Set() });
  }

  /** Returns what the socket has to do: nothing, or join again with `after_seq` because of a gap. */
  received(socket: string, { seq, id }: { seq: number; id: string | undefined }): 'fine' | 'rejoin' {
    const place = this.#places.get(socket);
    if (!place) return 'fine';
    if (id !== undefined) this.#same(id, seq);
    if (seq <= place.last) {
      this.counts.duplicated++;
      return 'fine';
    }
    if (seq === place.last + 1) {
      place.last = seq;
      return 'fine';
    }
    if (place.gap) return 'fine';
    place.gap = true;
    this.counts.misordered++;
    return 'rejoin';
  }

  /** Counts what is overdue by now and forgets what everybody has. */
  look(nowMs: number): void {
    for (const [seq, { atMs, missedBy }] of this.#acked) {
      let behind = false;
      for (const [socket, { last, since }] of this.#places) {
        if (last >= seq) continue;
        behind = true;
        if (since === undefined || missedBy.has(socket) || nowMs - Math.max(atMs, since) <= this.#lostAfterMs) continue;
        missedBy.add(socket);
        this.counts.lost++;
      }
      if (!behind || nowMs - atMs > this.#lostAfterMs * REMEMBERED) this.#acked.delete(seq);
    }
  }

  /** Exactly once for each id of a client: a second position is a duplicate. */
  #same(id: string, seq: number): void {
    const before = this.#seqOf.get(id);
    if (before !== undefined && before !== seq) this.counts.duplicated++;
    if (before === undefined) this.#seqOf.set(id, seq);
    if (this.#seqOf.size > IDS_MAX) this.#seqOf.delete(this.#seqOf.keys().next().value ?? '');
  }
}

const IDS_MAX = 1000;
