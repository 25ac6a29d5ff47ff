// The closed table of error codes: one row decides the HTTP status, whether a client may retry, and the public title.
// REST answers and `error` frames both take their code from here.

/** What is known of an error code. */
export interface ErrorCode {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
}

/** Every error code: its HTTP status, its title, and whether the same request may succeed later. */
export const errorCodes = {
  invalid_frame: { status: 400, retryable: false, title: 'The frame does not follow the protocol' },
  invalid_request: { status: 400, retryable: false, title: 'The request is not valid' },
  unauthorized: { status: 401, retryable: false, title: 'A valid token is required' },
  invalid_token: { status: 401, retryable: false, title: 'The token is not valid' },
  token_expired: { status: 401, retryable: false, title: 'The token has expired' },
  invalid_api_key: { status: 401, retryable: false, title: 'A valid API key is required' },
  invalid_credentials: { status: 401, retryable: false, title: 'E-mail or password is wrong' },
  invalid_refresh_token: { status: 401, retryable: false, title: 'The refresh token is not valid' },
  forbidden: { status: 403, retryable: false, title: 'Not allowed' },
  not_a_member: { status: 403, retryable: false, title: 'Not a member of this room' },
  not_found: { status: 404, retryable: false, title: 'Not found' },
  user_not_found: { status: 404, retryable: false, title: 'User not found' },
  invitation_not_found: { status: 404, retryable: false, title: 'Invitation not found' },
  method_not_allowed: { status: 405, retryable: false, title: 'Method not allowed' },
  conflict: { status: 409, retryable: false, title: 'Conflict with the current state' },
  email_taken: { status: 409, retryable: false, title: 'The e-mail address is taken' },
  invitation_answered: { status: 409, retryable: false, title: 'The invitation was answered already' },
  message_too_large: { status: 413, retryable: false, title: 'The message is too large' },
  body_too_large: { status: 413, retryable: false, title: 'The body is too large' },
  unsupported_media_type: { status: 415, retryable: false, title: 'Send application/json' },
  upgrade_required: { status: 426, retryable: false, title: 'A WebSocket of version 13 is required' },
  too_many_rooms: { status: 429, retryable: false, title: 'Too many rooms on one connection' },
  rate_limited: { status: 429, retryable: true, title: 'Too many requests' },
  internal: { status: 500, retryable: true, title: 'Internal error' },
  bad_gateway: { status: 502, retryable: true, title: 'The service behind the gateway failed' },
  overloaded: { status: 503, retryable: true, title: 'Too much to do at the moment' },
  unavailable: { status: 503, retryable: true, title: 'The database is not reachable at the moment' },
  draining: { status: 503, retryable: true, title: 'This instance is shutting down' },
  gateway_timeout: { status: 504, retryable: true, title: 'The service behind the gateway did not answer in time' },
} as const satisfies Record<string, ErrorCode>;

/** A name in {@link errorCodes}. */
export type ErrorCodeName = keyof typeof errorCodes;
