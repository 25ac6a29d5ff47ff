// Commands under a rate limit of their user.
import type { ChatContext } from '../context.ts';
import { strike } from '../domain/strikes.ts';
import { closeCodes, FLOOD_REFUSALS_PER_MINUTE } from '@parley/protocol';
import type { Session } from '../sockets/session.ts';

export interface Limited {
  kind: 'message' | 'room_action';
  about?: { room_id?: string; client_msg_id?: string };
}

const BUDGETS = { message: 'message', room_action: 'roomAction' } as const;

/** Runs the command when the user's bucket allows it; otherwise says how long to wait, and nothing has happened. */
export function limited(context: ChatContext, session: Session, { kind, about }: Limited, run: () => void): void {
  const userId = session.identity?.userId ?? 0;
  context.limits[BUDGETS[kind]].spend(
    String(userId),
    () => {
      if (session.state === 'open') run();
    },
    (retryAfterMs) => refuse(context, session, { kind, ...(about ? { about } : {}) }, retryAfterMs),
  );
}

export function refuse(context: ChatContext, session: Session, { kind, about }: Limited, retryAfterMs: number): void {
  context.metrics.rateLimits.exceeded.inc({ event: kind });
  const seconds = Math.ceil(retryAfterMs / 100) / 10;
  session.send({
    type: 'rate_limit_exceeded',
    event_type: kind,
    retry_after: seconds,
    message: `Too fast: try again in ${seconds} s`,
    ...about,
  });
  // Who goes on regardless costs time that others need.
  session.refusals = strike(session.refusals, Date.now());
  if (session.refusals.count >= FLOOD_REFUSALS_PER_MINUTE) session.end(closeCodes.flooding);
}
