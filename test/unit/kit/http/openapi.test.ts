// The OpenAPI documents of the services: valid by the official schema of OpenAPI 3.1, complete, with examples that follow their schemas.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeService, exampleOf } from '@parley/kit/http';
import { authOperations, coreOperations, errorCodes, errorsOf, ownOperations, workerOperations, type Operations } from '@parley/protocol';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { gatewayErrors, operationsOf } from '../../../../services/gateway/src/domain/operations.ts';

const documents = {
  auth: describeService({ service: 'auth', version: '1.0.0', operations: authOperations }),
  core: describeService({ service: 'core', version: '1.0.0', operations: coreOperations }),
  worker: describeService({ service: 'worker', version: '1.0.0', operations: workerOperations }),
  gateway: describeService({
    service: 'gateway',
    version: '1.0.0',
    operations: operationsOf({ auth: true, core: true, worker: true }),
    everywhere: gatewayErrors,
  }),
};
const all: Operations = { ...ownOperations, ...authOperations, ...coreOperations, ...workerOperations };
const schemasOf = ({ params, query, headers, body, answers }: Operations[string]): TSchema[] =>
  [params, query, headers, body, ...Object.values(answers)].filter((schema): schema is TSchema => schema !== undefined && schema !== null);

interface Media {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

interface Described {
  operationId: string;
  summary: string;
  security: object[];
  responses: Record<string, { content?: Record<string, Media> }>;
  requestBody?: { content: Record<string, Media> };
}

const describedOf = (document: Record<string, unknown>): Described[] =>
  Object.values(document['paths'] as Record<string, Record<string, Described>>).flatMap((item) => Object.values(item));

for (const [service, document] of Object.entries(documents)) {
  describe(`the OpenAPI document of ${service}`, () => {
    test('is valid', async () => {
      const result = await new Validator().validate(structuredClone(document));
      assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
    });

    test('is found broken when it is', async () => {
      const result = await new Validator().validate({ ...structuredClone(document), paths: { '/x': { get: { responses: 'none' } } } });
      assert.ok(!result.valid);
    });

    test('names every operation once, with a summary, its credential and its refusals', () => {
      const described = describedOf(document);
      assert.equal(new Set(described.map(({ operationId }) => operationId)).size, described.length);
      for (const { operationId, summary, security, responses } of described) {
        assert.ok(summary.length > 5, operationId);
        assert.ok(Array.isArray(security), operationId);
        assert.ok(responses['400'] && responses['500'] && Object.keys(responses).some((status) => status.startsWith('2')), operationId);
        if (security.length > 0) assert.ok(responses['401'] && responses['403'], operationId);
        if (service === 'gateway') for (const status of ['429', '502', '504']) assert.ok(responses[status], `${operationId} ${status}`);
      }
    });

    test('every reference leads somewhere, and every example follows its schema', () => {
      const ajv = new Ajv2020({ strict: false, validateFormats: false });
      ajv.addSchema(document, 'document');
      const check = (schema: object, example: unknown, where: string) => {
        const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object);
        assert.ok(validate(example), `${where}: ${JSON.stringify(validate.errors)} ${JSON.stringify(example)}`);
      };
      let checked = 0;
      for (const { operationId, requestBody, responses } of describedOf(document))
        for (const content of [requestBody?.content ?? {}, ...Object.values(responses).map((each) => each.content ?? {})])
          for (const media of Object.values(content)) {
            const named: unknown[] = media.examples ? Object.values(media.examples).map(({ value }) => value) : [media.example];
            for (const example of named) {
              check(media.schema, example, operationId);
              checked++;
            }
          }
      assert.ok(checked > 20);
    });
  });
}

describe('the table of operations', () => {
  test('has no path with the same method twice', () => {
    const calls = Object.values(all).map(({ method, path }) => `${method} ${path}`);
    assert.equal(new Set(calls).size, calls.length);
  });

  test('declares every field of each path', () => {
    for (const [id, { path, params }] of Object.entries(all)) {
      const fields = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(Object.keys((params as { properties?: object } | undefined)?.properties ?? {}), fields, id);
    }
  });

  test('has an example that follows it for every schema', () => {
    for (const [id, operation] of Object.entries(all))
      for (const schema of schemasOf(operation)) {
        const example = exampleOf(schema);
        assert.ok(
          Value.Check(schema, example),
          `${id}: ${JSON.stringify(example)} ${JSON.stringify([...Value.Errors(schema, example)][0])}`,
        );
      }
  });

  test('refuses unknown fields in every body and every query', () => {
    for (const [id, { body, query }] of Object.entries(all))
      for (const schema of [body, query]) if (schema) assert.ok(!Value.Check(schema, { ...(exampleOf(schema) as object), unknown: 1 }), id);
  });

  test('gives a code to every refusal, from the closed table', () => {
    for (const [id, operation] of Object.entries(all))
      for (const code of errorsOf(operation)) assert.ok(errorCodes[code].status >= 400, `${id} ${code}`);
  });
});
