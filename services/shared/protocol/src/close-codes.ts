// The closed table of WebSocket close codes and what a client does after each.

/** A close code and its reason. */
export interface CloseCode {
  readonly code: number;
  readonly reason: string;
  /** reconnect: at once with jitter · refresh: get a new token first · back-off: wait longer each time · stop: a person must act */
  readonly client: 'reconnect' | 'refresh' | 'back-off' | 'stop';
}

/** Every close code that the server uses, with what a client does then. */
export const closeCodes = {
  normal: { code: 1000, reason: 'bye', client: 'stop' },
  going_away: { code: 1001, reason: 'going away', client: 'reconnect' },
  too_large: { code: 1009, reason: 'frame too large', client: 'stop' },
  restart: { code: 1012, reason: 'service restart', client: 'reconnect' },
  overloaded: { code: 1013, reason: 'try again later', client: 'back-off' },
  protocol: { code: 4400, reason: 'too many wrong frames', client: 'stop' },
  auth: { code: 4401, reason: 'authentication required', client: 'refresh' },
  forbidden: { code: 4403, reason: 'not allowed any more', client: 'stop' },
  slow_consumer: { code: 4408, reason: 'reads too slowly', client: 'reconnect' },
  replaced: { code: 4409, reason: 'replaced by a newer connection', client: 'stop' },
  flooding: { code: 4429, reason: 'too fast', client: 'back-off' },
} as const satisfies Record<string, CloseCode>;

/** A name in {@link closeCodes}. */
export type CloseCodeName = keyof typeof closeCodes;
