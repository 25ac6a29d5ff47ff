// What a REST route is: the one place from which its checks, its OpenAPI description and its tests are made.
import type { TObject, TSchema } from '@sinclair/typebox';
import type { ErrorCodeName } from './error-codes.ts';

/** `api_key`: with the scope auth; `admin_key`: with the scope admin. */
export type Security = 'none' | 'bearer' | 'api_key' | 'admin_key';
/** Methods of HTTP that operations use. */
export type Method = 'get' | 'post' | 'patch' | 'delete';

/** One operation of REST: routes, checks of requests, documents and checks of answers are made from it. */
export interface Operation<B extends TSchema = TSchema, Q extends TSchema = TSchema, P extends TSchema = TSchema> {
  method: Method;
  /** As in OpenAPI: `/api/rooms/{id}`. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  security: Security;
  params?: P;
  query?: Q;
  body?: B;
  /** The call may come without a body. */
  bodyOptional?: true;
  /** Headers that mean something to this route alone; the handler reads them. */
  headers?: TObject;
  /** status -> body; null: an answer without a body. */
  answers: Readonly<Record<number, TSchema | null>>;
  /** Codes beside those that {@link errorsOf} adds for every route of its kind. */
  errors?: readonly ErrorCodeName[];
  /** Has a limit of its own: its answers say what is left. */
  limited?: true;
}

/** operation id -> operation */
export type Operations = Readonly<Record<string, Operation>>;

/** An operation with the types of its schemas. */
export const operation = <B extends TSchema, Q extends TSchema, P extends TSchema>(one: Operation<B, Q, P>): Operation<B, Q, P> => one;

const everywhere: readonly ErrorCodeName[] = [
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
  'internal',
  'unavailable',
  'overloaded',
];
const bySecurity: Record<Security, readonly ErrorCodeName[]> = {
  none: [],
  bearer: ['unauthorized', 'invalid_token', 'token_expired', 'forbidden'],
  api_key: ['invalid_api_key', 'forbidden'],
  admin_key: ['invalid_api_key', 'forbidden'],
};

/** Every code that a call may be refused with. */
export function errorsOf({ security, errors = [], limited }: Operation): ErrorCodeName[] {
  return [...new Set([...everywhere, ...bySecurity[security], ...errors, ...(limited ? (['rate_limited'] as const) : [])])];
}
