// Is delivery healthy? From counts and times alone. Pure.
import type { Counts } from './ledger.ts';

export interface VerdictInput {
  nowMs: number;
  startedMs: number;
  /** the last ack; undefined: none yet */
  ackedMs: number | undefined;
  /** counts of all rooms together */
  counts: Counts;
  /** when each of them grew last */
  brokenMs: number | undefined;
  /** replica -> since when it cannot be reached */
  unreachable: ReadonlyMap<string, number>;
  /** why nothing can be sent, as far as it is known */
  obstacle: string | undefined;
}

export interface Verdict {
  state: 'starting' | 'ok' | 'failing';
  reason: 'Starting' | 'Delivering' | 'PromiseBroken' | 'Stalled' | 'ReplicaUnreachable';
  message: string;
}

/** A broken promise is told this long. */
export const BROKEN_MS = 10 * 60_000;
/** Longer than a failover of everything that is not broken. */
export const STALLED_MS = 60_000;

export function verdict({ nowMs, startedMs, ackedMs, counts, brokenMs, unreachable, obstacle }: VerdictInput): Verdict {
  if (brokenMs !== undefined && nowMs - brokenMs < BROKEN_MS) {
    const { lost, duplicated, misordered } = counts;
    return {
      state: 'failing',
      reason: 'PromiseBroken',
      message: `since its start the canary counts ${lost} lost, ${duplicated} doubled and ${misordered} out of order; read its log, and that of the chat replicas at that time`,
    };
  }
  const because = obstacle === undefined ? '' : `: ${obstacle}`;
  if (nowMs - (ackedMs ?? startedMs) > STALLED_MS)
    return {
      state: 'failing',
      reason: 'Stalled',
      message: `no message has been acked for ${Math.round((nowMs - (ackedMs ?? startedMs)) / 1000)} s${because}`,
    };
  if (ackedMs === undefined) return { state: 'starting', reason: 'Starting', message: `no message has been acked yet${because}` };
  const away = [...unreachable].filter(([, since]) => nowMs - since > STALLED_MS).map(([replica]) => replica);
  if (away.length > 0)
    return { state: 'failing', reason: 'ReplicaUnreachable', message: `no socket can be held on ${away.join(', ')}, though it is ready` };
  return { state: 'ok', reason: 'Delivering', message: 'every acked message reached every replica once and in order' };
}
