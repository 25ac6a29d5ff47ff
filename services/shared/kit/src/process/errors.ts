// One error class for everything a caller may be told. Anything else that is thrown becomes `internal` at the edge.
import { errorCodes, type ErrorCodeName } from '@parley/protocol/error-codes';

/** A field that is wrong: its path as a JSON pointer, and why. */
export interface FieldError {
  path: string;
  message: string;
}

/** An error with a code of the closed table; `detail` is written for the caller and holds no internals. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCodeName;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(code: ErrorCodeName, detail?: string, extra: { errors?: FieldError[]; retryAfterMs?: number; cause?: unknown } = {}) {
    super(detail ?? errorCodes[code].title, { cause: extra.cause });
    this.code = code;
    this.errors = extra.errors;
    this.retryAfterMs = extra.retryAfterMs;
  }
  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** Text of anything thrown, for logs. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  if (error instanceof Error) return error.message || ((error as { code?: string }).code ?? error.name);
  return String(error);
}
