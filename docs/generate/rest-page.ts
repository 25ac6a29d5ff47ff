// docs/reference/rest.md: every REST operation, from the tables the services are made from.
import { errorCodes, errorsOf, type Operation, type Operations, type Security } from '@parley/protocol';
import { code, page, prose, table } from './markdown.ts';
import { boundsText, typeText, type Schema } from './schema-text.ts';

const credentials: Record<Security, string> = {
  none: 'none',
  bearer: '`Authorization: Bearer <access token>`',
  api_key: '`X-API-Key`, scope auth',
  admin_key: '`X-API-Key`, scope admin',
};

export function restPage(services: Readonly<Record<string, Operations>>): string {
  const all = Object.entries(services).flatMap(([service, operations]) =>
    Object.entries(operations).map(([id, operation]) => ({ service, id, operation })),
  );
  return page(
    'REST',
    `Each service describes itself at \`GET /api/openapi.json\`, without a credential; the gateway describes all that it passes on. Errors
are problem details (RFC 9457) with the codes of [protocol.md](protocol.md). A path that has other methods than the one of the call is
405 with \`Allow\`. The gateway may answer 429, 502 and 504 to any call.`,
    '## Overview',
    table(
      ['Operation', 'Method', 'Path', 'Service', 'What it does'],
      all.map(({ service, id, operation: { method, path, summary } }) => [
        `[${id}](#${id.toLowerCase()})`,
        method.toUpperCase(),
        code(path),
        service,
        prose(summary),
      ]),
    ),
    '## Operations',
    ...all.flatMap(({ id, operation }) => section(id, operation)),
  );
}

function section(id: string, operation: Operation): string[] {
  const { method, path, summary, description, security } = operation;
  const fields = [
    ...fieldRows('path', operation.params),
    ...fieldRows('query', operation.query),
    ...fieldRows('header', operation.headers),
    ...fieldRows('body', operation.body),
  ];
  const codes = errorsOf(operation).map((name) => `${code(name)} (${errorCodes[name].status})`);
  return [
    `### ${id}`,
    `\`${method.toUpperCase()} ${path}\``,
    prose(`${summary}.${description ? ` ${description}` : ''}`),
    `Credential: ${credentials[security]}.${operation.limited ? ' It has a rate limit of its own.' : ''}`,
    ...(fields.length > 0 ? [table(['Field', 'In', 'Type', 'Required', 'Bounds', 'Meaning'], fields)] : []),
    Object.entries(operation.answers)
      .map(([status, schema]) => `- ${status}: ${schema === null ? 'no body' : prose(answerText(schema as Schema))}`)
      .join('\n'),
    `Errors: ${codes.join(', ')}.`,
  ];
}

function fieldRows(place: string, schema: unknown): string[][] {
  const { properties = {}, required = [] } = (schema ?? {}) as Schema;
  return Object.entries(properties).map(([name, field]) => [
    code(name),
    place,
    typeText(field),
    required.includes(name) && field.default === undefined ? 'yes' : 'no',
    boundsText(field),
    prose(field.description ?? ''),
  ]);
}

/** The fields by name; their schemas are in the OpenAPI documents. */
function answerText(schema: Schema): string {
  const fields = Object.keys(schema.properties ?? {}).map(code);
  return fields.length > 0 ? `object with ${fields.join(', ')}` : typeText(schema);
}
