// The way to the API server, as small as the operator needs it. The real one and the in-memory twin pass one contract suite.

export interface KubeMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean; blockOwnerDeletion?: boolean }[];
  [key: string]: unknown;
}

/** Raw JSON as the API server sends it: typed models drop fields that they do not know. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: KubeMeta;
  [key: string]: unknown;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Content type of a PATCH that sets the fields that are given (RFC 7386). */
export const MERGE_PATCH = 'application/merge-patch+json';

export interface RequestOptions {
  query?: Record<string, string>;
  body?: unknown;
  /** of a PATCH */
  contentType?: 'application/apply-patch+yaml' | typeof MERGE_PATCH;
}

/** The API server as the operator sees it: one call, or a stream of lines. Answers other than 2xx are thrown as ApiError. */
export interface KubeTransport {
  /** Resolves with the answer's JSON. Throws {@link ApiError} for any status of 400 and above. */
  request<T = KubeObject>(method: Method, path: string, options?: RequestOptions): Promise<T>;
  /** One JSON text per line, until the server or `signal` ends it. */
  stream(path: string, query: Record<string, string>, signal: AbortSignal): AsyncIterable<string>;
}

/** An answer with status 400 or above; `message` is the API server's own. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  /** how long the API server asks to be left alone (`Retry-After`) */
  readonly retryAfterMs: number;
  constructor(status: number, reason: string, message: string, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whether the API server answered 404. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;
export const retryAfterMs = (error: unknown): number => (error instanceof ApiError ? error.retryAfterMs : 0);
/** Overload and conflicts pass by themselves; any other refusal is for a person to read. */
export const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 409 && error.status !== 429;
