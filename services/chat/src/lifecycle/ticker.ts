// What happens once a second: one timer for all sockets, signs, limits and the readiness of the database.
import type { Health } from '@parley/kit/process';
import type { ChatConfig } from '../config.ts';
import type { ChatContext } from '../context.ts';
import { sweep } from './sweep.ts';
import type { Session } from '../sockets/session.ts';

/** A replica whose writer cannot reach the database for this long reports not ready. */
const UNREADY_AFTER_MS = 5000;

export interface Ticking {
  edge: { readonly sessions: ReadonlySet<Session> };
  slow: Set<Session>;
  config: Pick<ChatConfig, 'slowReaderSeconds'>;
  health: Health;
}

export function everySecond(context: ChatContext, { edge, slow, config, health }: Ticking): () => void {
  let failingSince: number | undefined;
  return () => {
    const now = Date.now();
    sweep(edge.sessions, { sockets: slow, sweepsMax: config.slowReaderSeconds }, now);
    context.typing.sweep(now);
    context.revocations.forgetExpired(now);
    for (const budgets of Object.values(context.limits)) budgets.sweep();
    const reason = context.writer.unavailableReason;
    failingSince = reason === undefined ? undefined : (failingSince ?? now);
    const unready = failingSince !== undefined && now - failingSince >= UNREADY_AFTER_MS;
    health.set('mysql', unready ? reason : undefined);
  };
}
