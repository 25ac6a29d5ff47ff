// The OpenAPI 3.1 document of a service, from the table of its operations.
import {
  Problem,
  errorCodes,
  errorsOf,
  ownOperations,
  schemaNames,
  type ErrorCodeName,
  type Operation,
  type Operations,
  type Security,
} from '@parley/protocol';
import type { TObject, TSchema } from '@sinclair/typebox';
import { exampleOf } from './openapi-example.ts';
import { PROBLEM_TYPE } from './problem.ts';
import { LIMIT_HEADERS } from '../rate-limit/http.ts';

type Json = Record<string, unknown>;

interface OpenApiOptions {
  title: string;
  version: string;
  description: string;
  operations: Operations;
  /** What every operation may answer beside its own codes: a gateway's. */
  everywhere?: readonly ErrorCodeName[];
}

function openApiOf({ title, version, description, operations, everywhere = [] }: OpenApiOptions): Json {
  const used = new Map<string, TSchema>();
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries(operations)) {
    const item = (paths[operation.path] ??= {});
    item[operation.method] = describe(id, operation, { everywhere, used });
  }
  const tags = [...new Set(Object.values(operations).map(({ tag }) => tag))];
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/', description: 'Where this document comes from' }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: { schemas: schemasOf(used), securitySchemes, headers },
  };
}

/** What an OpenAPI document says of a service as a whole. */
export interface ServiceDescription {
  service: string;
  version: string;
  operations: Operations;
  everywhere?: readonly ErrorCodeName[];
}

/** The document of one of Parley's services: its operations, and what every service has. */
export function describeService(about: ServiceDescription): Json {
  return openApiOf({
    title: `Parley ${about.service}`,
    version: about.version,
    description:
      'JSON in and out; times are RFC 3339, UTC, with milliseconds. Errors are problem details (RFC 9457); `code` says which, and is stable. Lists are paged by `cursor`.',
    operations: { ...ownOperations, ...about.operations },
    ...(about.everywhere ? { everywhere: about.everywhere } : {}),
  });
}

interface Context {
  everywhere: readonly ErrorCodeName[];
  /** Schemas that were named so far. */
  used: Map<string, TSchema>;
}

function describe(id: string, operation: Operation, context: Context): Json {
  const { tag, summary, description, security, body } = operation;
  const parameters = [...parametersOf('path', operation.params), ...parametersOf('query', operation.query)];
  parameters.push(...parametersOf('header', operation.headers));
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    security: securityOf[security],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: !operation.bodyOptional, content: { 'application/json': contentOf(body, context.used) } } } : {}),
    responses: { ...answersOf(operation, context), ...problemsOf(operation, context) },
  };
}

function parametersOf(place: 'path' | 'query' | 'header', schema: TSchema | undefined): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as Partial<TObject>;
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || (required.includes(name) && field['default'] === undefined),
    ...(typeof field.description === 'string' ? { description: field.description } : {}),
    schema: plain(field),
  }));
}

function answersOf(operation: Operation, { everywhere, used }: Context): Json {
  const limited = operation.limited === true || everywhere.includes('rate_limited');
  return Object.fromEntries(
    Object.entries(operation.answers).map(([status, schema]) => [
      status,
      {
        description:
          schema === null ? 'Done' : Number(status) < 300 ? (Number(status) === 201 ? 'Made' : 'The answer') : 'Not at the moment',
        headers: headersOf(limited),
        ...(schema === null ? {} : { content: { 'application/json': contentOf(schema, used) } }),
      },
    ]),
  );
}

/** One answer for each status, with the codes it may carry. */
function problemsOf(operation: Operation, { everywhere, used }: Context): Json {
  const byStatus = new Map<number, ErrorCodeName[]>();
  for (const code of new Set([...errorsOf(operation), ...everywhere])) {
    const { status } = errorCodes[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  used.set('Problem', Problem);
  const answers = [...byStatus].map(([status, codes]) => {
    const titles = codes.map((code) => `\`${code}\`: ${errorCodes[code].title}`);
    const schema = {
      allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes }, status: { const: status } } }],
    };
    const examples = Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }]));
    const waits = codes.some((code) => errorCodes[code].retryable);
    return [
      String(status),
      {
        description: titles.join('. '),
        headers: { ...headersOf(status === 429), ...(waits ? { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } : {}) },
        content: { [PROBLEM_TYPE]: { schema, examples } },
      },
    ] as const;
  });
  // An answer with a body of its own (health) stands for its status.
  return Object.fromEntries(answers.filter(([status]) => operation.answers[Number(status)] === undefined));
}

function problemExample(code: ErrorCodeName): Json {
  const { title, status } = errorCodes[code];
  return {
    type: `https://parley.dev/errors/${code}`,
    title,
    status,
    detail: title,
    code,
    request_id: 'b2f1c8f0-5f1e-4c58-8f5e-0a4a2b9d7c11',
  };
}

function headersOf(limited: boolean): Json {
  const names = ['X-Request-Id', ...(limited ? LIMIT_HEADERS : [])];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function contentOf(schema: TSchema, used: Map<string, TSchema>): Json {
  const name = schemaNames.get(schema);
  if (name === undefined) return { schema: plain(schema), example: exampleOf(schema) };
  used.set(name, schema);
  return { schema: { $ref: `#/components/schemas/${name}` }, example: exampleOf(schema) };
}

const schemasOf = (used: Map<string, TSchema>): Json =>
  Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, schema]) => [name, plain(schema)]));

/** Without the symbols by which TypeBox knows its schemas. */
const plain = (schema: TSchema): unknown => JSON.parse(JSON.stringify(schema));

const securityOf: Record<Security, Json[]> = {
  none: [],
  bearer: [{ bearer: [] }],
  api_key: [{ api_key: [] }],
  admin_key: [{ admin_key: [] }],
};

const securitySchemes: Json = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token of login, register or refresh' },
  api_key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'API key with the scope auth' },
  admin_key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'API key with the scope admin' },
};

const header = (description: string, type: 'string' | 'integer'): Json => ({ description, schema: { type } });
const headers: Json = {
  'X-Request-Id': header('The id of the request, in logs too; taken from the request when it has one', 'string'),
  'Retry-After': header('Seconds to wait before the next try', 'integer'),
  RateLimit: header('r: calls that are left, t: seconds until all are back, or until the next is allowed', 'string'),
  'RateLimit-Policy': header('q: calls at once, w: seconds in which an empty bucket fills', 'string'),
  'X-RateLimit-Limit': header('Calls at once', 'integer'),
  'X-RateLimit-Remaining': header('Calls that are left', 'integer'),
};
