// Typed routes: path, query and body are checked by their schemas before the handler runs; the handler returns the answer.
import type { Operation } from '@parley/protocol';
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import { Value } from '@sinclair/typebox/value';
import type { Express, Request, RequestHandler, Response } from 'express';
import { AppError, type FieldError } from '../process/errors.ts';
import type { RevocationList } from '../tokens/revocation.ts';
import type { Identity, TokenVerifier } from '../tokens/token.ts';

/** Body, query and path of a request, parsed by the schemas of its operation. */
export interface RouteInput<B, Q, P> {
  body: B;
  query: Q;
  params: P;
  request: Request;
  response: Response;
}

/** `status` 204 has no body. */
export interface Answer {
  status?: number;
  body?: unknown;
}

interface Route<B extends TSchema, Q extends TSchema, P extends TSchema> {
  operation: Operation<B, Q, P>;
  before?: RequestHandler[];
  handle: (input: RouteInput<Static<B>, Static<Q>, Static<P>>) => Promise<Answer> | Answer;
}

/** Adds one route. Errors thrown by the handler reach the error middleware (express 5 awaits it). */
export function addRoute<B extends TSchema, Q extends TSchema, P extends TSchema>(app: Express, route: Route<B, Q, P>): void {
  const { operation } = route;
  const body = operation.body && checker(operation.body, '');
  const query = operation.query && checker(operation.query, '/query', true);
  const params = operation.params && checker(operation.params, '/path', true);
  // The pattern of express for /rooms/{id} is /rooms/:id.
  const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1');
  app[operation.method](path, ...(route.before ?? []), async (request: Request, response: Response) => {
    const isLeftOut = operation.bodyOptional === true && request.get('content-type') === undefined;
    if (body && request.body === undefined && !isLeftOut) {
      throw new AppError(
        request.get('content-type') ? 'unsupported_media_type' : 'invalid_request',
        'Send a JSON body with Content-Type: application/json',
      );
    }
    const answer = await route.handle({
      body: body ? body(request.body ?? {}) : undefined,
      query: query ? query({ ...request.query }) : undefined,
      params: params ? params({ ...request.params }) : undefined,
      request,
      response,
    });
    response.status(answer.status ?? 200);
    if (answer.body === undefined) response.end();
    else response.json(answer.body);
  });
}

/** Text of query and path becomes what the schema asks for first ("50" -> 50), and defaults are filled in. */
function checker(schema: TSchema, at: string, convert = false): (value: unknown) => unknown {
  const check: TypeCheck<TSchema> = TypeCompiler.Compile(schema);
  return (given) => {
    const value = convert ? fromText(schema, Value.Default(schema, given) as Record<string, unknown>) : given;
    if (check.Check(value)) return value;
    const errors: FieldError[] = [];
    for (const error of check.Errors(value)) {
      errors.push({ path: `${at}${error.path}` || '/', message: error.message });
      if (errors.length === 10) break;
    }
    throw new AppError('invalid_request', `${errors[0]?.path}: ${errors[0]?.message}`, { errors });
  };
}

/** Only text that is exactly such a value: TypeBox's own conversion makes 1 of "1.5". */
function fromText(schema: TSchema, given: Record<string, unknown>): Record<string, unknown> {
  const { properties = {} } = schema as Partial<TObject>;
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, valueOf(value, properties[name]?.['type'])]));
}

function valueOf(value: unknown, type: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'integer' && /^-?\d{1,16}$/.test(value)) return Number(value);
  if (type === 'boolean' && /^(true|false)$/.test(value)) return value === 'true';
  return value;
}

/** Middleware: a valid access token that was not revoked is required; its identity is left for {@link identityOf}. */
export function requireUser(verifier: TokenVerifier, revocations?: Pick<RevocationList, 'find'>): RequestHandler {
  return async (request, response, next) => {
    const match = /^Bearer ([^\s]+)$/i.exec(request.get('authorization') ?? '');
    if (!match?.[1]) throw new AppError('unauthorized', 'Send Authorization: Bearer <token>');
    const identity = await verifier.verify(match[1]);
    const revocation = revocations?.find(identity);
    if (revocation) throw new AppError(revocation.final ? 'forbidden' : 'invalid_token', 'The token was revoked');
    (response.locals as { identity?: Identity }).identity = identity;
    next();
  };
}

/** Who calls; throws when the route asks for no token. */
export function identityOf(response: Response): Identity {
  const { identity } = response.locals as { identity?: Identity };
  if (!identity) throw new AppError('unauthorized');
  return identity;
}
