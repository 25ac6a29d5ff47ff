// Holds every answer of a service against the table of its operations: an undeclared status, code or body fails the test.
import assert from 'node:assert/strict';
import { errorsOf, ownOperations, Problem, type ErrorCodeName, type Operation, type Operations } from '@parley/protocol';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

export interface Answered {
  method: string;
  /** With its query. */
  path: string;
  status: number;
  type: string;
  /** undefined: none */
  body: unknown;
}

/** Paths that nobody declares may be refused only as such. */
const UNDECLARED: readonly ErrorCodeName[] = [
  'not_found',
  'method_not_allowed',
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
];

export function declaredBy(own: Operations, everywhere: readonly ErrorCodeName[] = []): (answer: Answered) => void {
  const operations = { ...ownOperations, ...own };
  return (answer) => {
    const [id, operation] = find(operations, answer) ?? ['undeclared', undefined];
    const where = `${id}: ${answer.method} ${answer.path} answers ${answer.status} ${JSON.stringify(answer.body)?.slice(0, 300)}`;
    const schema = operation?.answers[answer.status];
    if (schema === null) return assert.equal(answer.body, undefined, `${where}, which has no body`);
    if (schema) return follows(schema, answer.body, where);
    follows(Problem, answer.body, where);
    assert.match(answer.type, /^application\/problem\+json/, where);
    const { code, status } = answer.body as Problem;
    assert.equal(status, answer.status, where);
    const codes: readonly string[] = operation ? [...errorsOf(operation), ...everywhere] : UNDECLARED;
    assert.ok(codes.includes(code), `${where}, and ${code} is not among ${codes.join(', ')}`);
  };
}

/** A path in letters comes before one with a field: /users/me is not a /users/{id}. */
function find(operations: Operations, { method, path }: Answered): [string, Operation] | undefined {
  const [bare = ''] = path.split('?');
  const found = Object.entries(operations).filter(
    ([, operation]) =>
      operation.method === method.toLowerCase() &&
      new RegExp(`^${operation.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(bare),
  );
  return found.find(([, operation]) => operation.path === bare) ?? found[0];
}

function follows(schema: TSchema, body: unknown, where: string): void {
  const [error] = Value.Errors(schema, body);
  assert.equal(error, undefined, `${where}: ${error?.path} ${error?.message}`);
}
