// RFC 9457 problem details from any thrown value.
import { errorCodes, type Problem } from '@parley/protocol';
import { AppError, type FieldError } from '../process/errors.ts';

/** Content type of problems. */
export const PROBLEM_TYPE = 'application/problem+json';

/** The one place where an unknown error becomes `internal`, without its text. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { type, status } = (error ?? {}) as { type?: string; status?: number };
  // Errors of express's body parser carry these fields.
  if (type === 'entity.too.large') return new AppError('body_too_large');
  if (type === 'entity.parse.failed') return new AppError('invalid_request', 'The body is not valid JSON');
  if (type === 'charset.unsupported' || type === 'encoding.unsupported') return new AppError('unsupported_media_type');
  if (typeof status === 'number' && status >= 400 && status < 500) return new AppError('invalid_request', undefined, { cause: error });
  return new AppError('internal', undefined, { cause: error });
}

/** The problem (RFC 9457) of an error, with the id of the request. */
export function problemOf(error: AppError, requestId: string): Problem {
  const row = errorCodes[error.code];
  return {
    type: `https://parley.dev/errors/${error.code}`,
    title: row.title,
    status: row.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.errors ? { errors: error.errors as FieldError[] } : {}),
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
  };
}
